-- Two time bands of one product, region and prefix that hold at the same minute.
WITH hours AS MATERIALIZED (
  SELECT h.time_band_id, d.day, h.start_time, coalesce(h.end_time, '24:00') AS end_time
  FROM time_band_hours h
  CROSS JOIN LATERAL unnest(h.days) AS d (day)
  WHERE h.time_band_id IN (SELECT time_band_id FROM linted) AND (d.day <= 7 OR %(has_holidays)s)
), clash AS MATERIALIZED (
  SELECT DISTINCT ON (a.time_band_id, b.time_band_id)
    a.time_band_id AS band_id, b.time_band_id AS other_id, a.day,
    greatest(a.start_time, b.start_time) AS from_time, least(a.end_time, b.end_time) AS to_time
  FROM hours a
  JOIN hours b
    ON b.time_band_id > a.time_band_id AND b.day = a.day AND b.start_time < a.end_time AND a.start_time < b.end_time
  ORDER BY a.time_band_id, b.time_band_id, a.day, greatest(a.start_time, b.start_time)
)
SELECT
  'error' AS severity, t.rate_id, coalesce(t.line_id, o.line_id) AS line_id, t.product_id, t.region, t.prefix,
  t.time_band_id, b.name AS other, c.day, left(c.from_time::text, 5) AS from_time, left(c.to_time::text, 5) AS to_time
FROM linted t
JOIN clash c ON c.band_id = t.time_band_id
JOIN linted o
  ON o.product_id = t.product_id AND o.region = t.region AND o.prefix = t.prefix AND o.time_band_id = c.other_id
JOIN time_band b ON b.id = c.other_id
