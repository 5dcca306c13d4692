-- Prices ten times above or below the median of their neighbours: prefixes that differ in the last digit, or else the
-- same prefix in other regions; at least three of them, in the same time band, by the same model. Zeros are another rule's.
WITH priced AS MATERIALIZED (
  SELECT *, unit_price / unit_size AS each FROM linted WHERE unit_price > 0
), by_prefix AS (
  SELECT
    product_id, region, time_band_id, pricing_model, left(prefix, -1) AS stem,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY each) AS median
  FROM priced WHERE prefix <> ''
  GROUP BY product_id, region, time_band_id, pricing_model, left(prefix, -1) HAVING count(*) >= 3
), by_region AS (
  SELECT
    product_id, prefix, time_band_id, pricing_model, percentile_disc(0.5) WITHIN GROUP (ORDER BY each) AS median
  FROM priced
  GROUP BY product_id, prefix, time_band_id, pricing_model HAVING count(*) >= 3
)
SELECT
  'warning' AS severity, t.rate_id, t.line_id, t.product_id, t.region, t.prefix, t.time_band_id,
  trim_scale(t.unit_price)::text AS price,
  trim_scale(round(coalesce(p.median, r.median) * t.unit_size, 18))::text AS median,
  p.median IS NULL AS is_by_region
FROM priced t
LEFT JOIN by_prefix p
  ON p.product_id = t.product_id AND p.region = t.region AND p.stem = left(t.prefix, -1) AND t.prefix <> ''
  AND coalesce(p.time_band_id, 0) = coalesce(t.time_band_id, 0) AND p.pricing_model = t.pricing_model
LEFT JOIN by_region r
  ON r.product_id = t.product_id AND r.prefix = t.prefix
  AND coalesce(r.time_band_id, 0) = coalesce(t.time_band_id, 0) AND r.pricing_model = t.pricing_model
WHERE t.each >= 10 * coalesce(p.median, r.median) OR t.each * 10 <= coalesce(p.median, r.median)
