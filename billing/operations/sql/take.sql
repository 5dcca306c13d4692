-- The pending usage of some accounts of a run: what of it the run takes, as it is to be rated. Usage that was committed
-- after the run was commenced is not seen (its snapshot). A row of the inbox does not make a record billable.
-- A transaction's number that this server has yet to give is of a row restored from another server's dump: here and in
-- what follows, such rows were there before the run.
CREATE TEMPORARY TABLE taken ON COMMIT DROP AS
WITH inbox AS MATERIALIZED (
  -- In the order of records, so that neighbours in the table are looked up one after the other.
  SELECT
    a.id AS account_id, a.card_set, a.timezone, a.late_before, p.customer_id, p.record_id, p.billing_effective_date,
    p.ctid AS pending_row, p.posted_in
  FROM account a
  JOIN pending_usage p
    ON p.customer_id = a.customer_id AND p.billing_effective_date < %(cutoff_date)s
    AND (%(since)s::date IS NULL OR p.billing_effective_date >= %(since)s::date)
    AND tollbook_seen(p.posted_in, %(snapshot)s::pg_snapshot)
  ORDER BY p.record_id
)
SELECT
  i.account_id, i.card_set, i.customer_id, i.record_id, i.pending_row, i.posted_in, {use},
  CASE WHEN i.billing_effective_date < i.late_before
    THEN date_trunc('month', i.billing_effective_date)::date END AS late_period
FROM inbox i
JOIN usage_data_record r
  ON r.id = i.record_id AND r.customer_id = i.customer_id
  AND r.life_cycle_state = 'POSTED' AND r.billing_directive <> 'NOT_TO_BE_BILLED'
