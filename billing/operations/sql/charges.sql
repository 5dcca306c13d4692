-- The priced records of the invoiced accounts become charges on their lines and leave the inbox. Gives back how many
-- did each: the numbers differ where usage was taken back while it was priced.
WITH charged AS (
  INSERT INTO usage_charge (
    customer_id, record_id, line_id, rate_id, quantity, billed_quantity, amount, posted_in, counted_month, counted_id,
    quantity_before, quantity_total, included_quantity, correction
  )
  SELECT r.customer_id, r.record_id, l.id, r.rate_id, r.quantity, nullif(r.billed_quantity, r.quantity), r.amount,
    r.posted_in, r.counted_month, r.counted_id, r.quantity_before, r.quantity_total, r.included_quantity, r.correction
  FROM rated r
  JOIN produced_line l ON l.line_key = r.line_key
  RETURNING 1
), billed AS (
  DELETE FROM pending_usage p
  USING rated r
  -- By their place in the table, which is faster ("+ 0" keeps the planner from the index on record_id); a place that
  -- has changed hands is another record's.
  WHERE p.ctid = r.pending_row AND p.record_id + 0 = r.record_id
  RETURNING 1
)
SELECT (SELECT count(*) FROM charged), (SELECT count(*) FROM billed), (SELECT count(*) FROM rated)
