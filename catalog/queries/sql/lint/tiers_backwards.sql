-- Tiers by which more costs more for each unit than less does.
WITH step AS (
  SELECT
    t.*, s.from_quantity, s.unit_price AS price_above,
    lag(s.unit_price, 1, t.unit_price) OVER (PARTITION BY t.id ORDER BY s.from_quantity, s.tier_id) AS price_below
  FROM linted t JOIN linted_tier s ON s.row_id = t.id
)
SELECT DISTINCT ON (id)
  'warning' AS severity, rate_id, line_id, product_id, region, prefix, time_band_id,
  trim_scale(from_quantity)::text AS from_quantity, trim_scale(price_above)::text AS price_above,
  trim_scale(price_below)::text AS price_below
FROM step
WHERE price_above > price_below
ORDER BY id, from_quantity
