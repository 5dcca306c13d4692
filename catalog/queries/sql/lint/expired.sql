-- Prices that have ended, and nothing of the card prices any more what they did: neither a later version, nor a shorter
-- prefix, nor "every region". A price of another time band is no successor, one without a time band is.
SELECT
  'warning' AS severity, e.rate_id, e.line_id, e.product_id, e.region, e.prefix, e.time_band_id,
  e.end_date::text AS end_date
FROM ended e
LEFT JOIN (
  SELECT DISTINCT e.rate_id
  FROM ended e
  CROSS JOIN generate_series(0, 15) AS n (length)
  JOIN linted o
    ON o.product_id = e.product_id AND o.prefix = left(e.prefix, n.length) AND o.region IN (e.region, '')
    AND (o.time_band_id IS NULL OR o.time_band_id = e.time_band_id)
  WHERE n.length <= length(e.prefix)
) followed ON followed.rate_id = e.rate_id
WHERE followed.rate_id IS NULL
