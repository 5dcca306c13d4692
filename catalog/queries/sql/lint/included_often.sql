-- Included quantities of several rates of a product: each counts by itself, so they add up.
SELECT
  'warning' AS severity, min(rate_id) AS rate_id, min(line_id) AS line_id, product_id, '' AS region, '' AS prefix,
  NULL::bigint AS time_band_id, count(*) AS rate_count, trim_scale(sum(included_quantity))::text AS together
FROM linted
WHERE included_quantity > 0
GROUP BY product_id
HAVING count(*) > 1
