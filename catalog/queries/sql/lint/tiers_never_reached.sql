-- Graduated and volume prices with a tier that changes nothing: there is none, two start alike, the price is that of
-- the tier before, or nobody ever uses as much. 10^18 is a billion gigabytes counted in bytes.
WITH step AS (
  SELECT
    t.id AS row_id, s.from_quantity, s.unit_price,
    lag(s.from_quantity, 1, 0) OVER steps AS from_before,
    lag(s.unit_price, 1, t.unit_price) OVER steps AS price_before
  FROM linted t JOIN linted_tier s ON s.row_id = t.id
  WINDOW steps AS (PARTITION BY t.id ORDER BY s.from_quantity, s.tier_id)
), fault AS (
  SELECT
    row_id,
    CASE
      WHEN from_quantity <= from_before
        THEN 'two tiers start above ' || trim_scale(from_quantity) || ': one of them is never reached'
      WHEN from_quantity >= 1e18 THEN 'nobody uses more than ' || trim_scale(from_quantity)
        || ': that tier is never reached'
      WHEN unit_price = price_before THEN 'above ' || trim_scale(from_quantity) || ' it costs '
        || trim_scale(unit_price) || ' as below: that tier changes nothing'
    END AS why
  FROM step
  UNION ALL
  SELECT t.id, 'it has no tier: all of it costs ' || trim_scale(t.unit_price)
  FROM linted t
  WHERE t.pricing_model IN ('graduated', 'volume') AND NOT EXISTS (SELECT FROM linted_tier s WHERE s.row_id = t.id)
)
SELECT
  'warning' AS severity, t.rate_id, t.line_id, t.product_id, t.region, t.prefix, t.time_band_id,
  string_agg(f.why, '; ' ORDER BY f.why) AS why
FROM fault f JOIN linted t ON t.id = f.row_id
WHERE f.why IS NOT NULL
GROUP BY t.id, t.rate_id, t.line_id, t.product_id, t.region, t.prefix, t.time_band_id
