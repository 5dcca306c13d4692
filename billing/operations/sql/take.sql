-- The pending usage of some accounts of a run: what of it the run takes, as it is to be rated. Usage that was committed
-- after the run was commenced is not seen (its snapshot). A row of the inbox does not make a record billable.
CREATE TEMPORARY TABLE taken ON COMMIT DROP AS
WITH account AS MATERIALIZED (
  SELECT id, customer_id, timezone, late_before, dense_rank() OVER (ORDER BY rate_card_ids) AS card_set
  FROM run_account
  WHERE id = ANY (%(account_ids)s)
)
SELECT
  a.id AS account_id, a.card_set, p.customer_id, p.record_id, p.ctid AS pending_row, r.product_id, r.region, r.usage_type_id,
  CASE r.billing_directive WHEN 'TO_BE_CREDITED' THEN -r.usage_amount ELSE r.usage_amount END AS quantity,
  CASE r.billing_directive WHEN 'TO_BE_CREDITED' THEN -r.total_amount ELSE r.total_amount END AS own_amount,
  (r.from_date AT TIME ZONE a.timezone)::date AS used_on,
  CASE WHEN p.billing_effective_date < a.late_before
    THEN date_trunc('month', p.billing_effective_date)::date END AS late_period
FROM account a
JOIN pending_usage p
  ON p.customer_id = a.customer_id AND p.billing_effective_date < %(cutoff_date)s
  AND pg_visible_in_snapshot(p.posted_in, %(snapshot)s::pg_snapshot)
JOIN usage_data_record r
  ON r.id = p.record_id AND r.customer_id = p.customer_id
  AND r.life_cycle_state = 'POSTED' AND r.billing_directive <> 'NOT_TO_BE_BILLED'
