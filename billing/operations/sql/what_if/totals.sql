SELECT
  count(DISTINCT customer_id), coalesce(sum(record_count), 0)::bigint, coalesce(sum(now), 0), coalesce(sum("then"), 0),
  coalesce(sum("then") - sum(now), 0), coalesce(sum(unpriced_count), 0)::bigint, coalesce(sum(unpriced_now), 0),
  min(first_unpriced)
FROM revenue
