SELECT
  count(*), coalesce(sum(usage_amount), 0),
  count(*) FILTER (WHERE is_pending), coalesce(sum(usage_amount) FILTER (WHERE is_pending), 0),
  count(*) FILTER (WHERE is_charged), coalesce(sum(charged_quantity) FILTER (WHERE is_charged), 0),
  count(*) FILTER (WHERE is_excluded), coalesce(sum(usage_amount) FILTER (WHERE is_excluded), 0),
  count(fault)
FROM placed
