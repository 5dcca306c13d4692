-- Lines of a deck that cost ten times what the version before them does, or a tenth.
SELECT
  'warning' AS severity, t.rate_id, t.line_id, t.product_id, t.region, t.prefix, t.time_band_id,
  trim_scale(t.unit_price)::text AS price, trim_scale(round(r.unit_price / r.unit_size * t.unit_size, 18))::text AS before
FROM linted t
JOIN rate r ON r.id = t.before_id
WHERE t.unit_price > 0 AND r.unit_price > 0 AND t.pricing_model = r.pricing_model
  AND (t.unit_price * r.unit_size >= 10 * r.unit_price * t.unit_size
       OR t.unit_price * r.unit_size * 10 <= r.unit_price * t.unit_size)
