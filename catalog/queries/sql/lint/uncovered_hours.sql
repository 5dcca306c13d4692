-- Products, regions and prefixes that have prices by time band only, whose bands leave hours of the week out: an error
-- where nothing else prices those hours, a warning where a shorter prefix or "every region" does, without a time band.
WITH by_band AS MATERIALIZED (
  SELECT
    min(rate_id) AS rate_id, min(line_id) AS line_id, product_id, region, prefix,
    array_agg(DISTINCT time_band_id ORDER BY time_band_id) AS bands
  FROM linted GROUP BY product_id, region, prefix HAVING bool_and(time_band_id IS NOT NULL)
), week AS MATERIALIZED (
  SELECT s.bands, d.day
  FROM (SELECT DISTINCT bands FROM by_band) s
  CROSS JOIN generate_series(1, CASE WHEN %(has_holidays)s THEN 8 ELSE 7 END) AS d (day)
), covered AS (
  SELECT w.bands, w.day, range_agg(int4range(
    extract(epoch FROM h.start_time)::integer / 60, extract(epoch FROM coalesce(h.end_time, '24:00'))::integer / 60
  )) AS minutes
  FROM week w JOIN time_band_hours h ON h.time_band_id = ANY(w.bands) AND w.day = ANY(h.days)
  GROUP BY w.bands, w.day
), gap AS MATERIALIZED (
  SELECT
    w.bands,
    array_agg(ARRAY[w.day, lower(open.minutes), upper(open.minutes)] ORDER BY w.day, open.minutes) AS hours
  FROM week w
  LEFT JOIN covered c ON c.bands = w.bands AND c.day = w.day
  CROSS JOIN LATERAL unnest(
    int4multirange(int4range(0, 1440)) - coalesce(c.minutes, int4multirange())
  ) AS open (minutes)
  GROUP BY w.bands
), left_out AS MATERIALIZED (
  SELECT k.*, g.hours FROM by_band k JOIN gap g ON g.bands = k.bands
), priced AS (
  SELECT DISTINCT k.product_id, k.region, k.prefix
  FROM left_out k
  CROSS JOIN generate_series(0, 15) AS n (length)
  JOIN linted o
    ON o.product_id = k.product_id AND o.prefix = left(k.prefix, n.length) AND o.region IN (k.region, '')
    AND o.time_band_id IS NULL
  WHERE n.length <= length(k.prefix)
)
SELECT
  CASE WHEN p.product_id IS NULL THEN 'error' ELSE 'warning' END AS severity,
  k.rate_id, k.line_id, k.product_id, k.region, k.prefix, NULL::bigint AS time_band_id, k.hours
FROM left_out k
LEFT JOIN priced p ON p.product_id = k.product_id AND p.region = k.region AND p.prefix = k.prefix
