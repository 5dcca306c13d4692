-- Prices by which no use ever costs anything.
SELECT 'warning' AS severity, t.rate_id, t.line_id, t.product_id, t.region, t.prefix, t.time_band_id
FROM linted t
WHERE t.unit_price = 0 AND t.connection_fee = 0 AND coalesce(t.minimum_charge, 0) = 0
  AND NOT EXISTS (SELECT FROM linted_tier s WHERE s.row_id = t.id AND s.unit_price <> 0)
