-- The transactions of the invoiced accounts get their lines. Gives back how many did and how many should: one that was
-- changed after its line was made is no longer what is billed.
WITH billed AS (
  UPDATE transaction x SET invoice_line_id = l.id
  FROM produced_line l
  WHERE x.id = l.transaction_id AND x.updated_at = l.updated_at AND x.invoice_line_id IS NULL
  RETURNING 1
)
SELECT (SELECT count(*) FROM billed), (SELECT count(*) FROM produced_line WHERE transaction_id IS NOT NULL)
