-- The waiting usage of the run's customers, gathered by what decides whether something prices it: rate cards and time zone,
-- product, region, and the first digits of the destination where they matter. Each record is read once.
CREATE TEMPORARY TABLE preflight_group ON COMMIT DROP AS
SELECT (row_number() OVER ())::integer AS id, g.*
FROM (
  SELECT c.kind, r.product_id, r.region, {head} AS head, min(r.from_date) AS first, max(r.from_date) AS last
  FROM pending_usage p
  -- As values, not as a table of this session's: workers of a parallel query cannot read that.
  JOIN unnest(%(customer_ids)s::bigint[], %(kinds)s::integer[]) AS c (customer_id, kind) ON c.customer_id = p.customer_id
  JOIN usage_data_record r ON r.id = p.record_id AND r.id BETWEEN %(first_record)s AND %(last_record)s
  {doubted}
  WHERE p.billing_effective_date < %(cutoff_date)s
    AND r.life_cycle_state = 'POSTED' AND r.billing_directive <> 'NOT_TO_BE_BILLED' AND r.total_amount IS NULL
  GROUP BY c.kind, r.product_id, r.region, {head}
) g;
ANALYZE preflight_group
