-- Prefixes beside which there is no price: no shorter prefix has one, so other numbers that begin alike have none.
-- A whole country code needs no shorter one: beside it are other countries. Where each next digit has a price of its own
-- (4470 to 4479) there is no hole in 447; there may be one in 44.
WITH rated AS MATERIALIZED (
  SELECT
    min(rate_id) AS rate_id, min(line_id) AS line_id, product_id, region, prefix,
    -- ITU-T E.164: country codes of one and of two digits; all others have three. A leading 0 is of no country.
    CASE
      WHEN prefix ~ '^[017]' THEN 1
      WHEN prefix ~ '^(2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])' THEN 2
      ELSE 3
    END AS code_length
  FROM linted WHERE prefix <> '' GROUP BY product_id, region, prefix
), below AS MATERIALIZED (
  SELECT DISTINCT r.product_id, r.region, r.prefix
  FROM rated r
  CROSS JOIN generate_series(0, 14) AS n (length)
  JOIN linted o
    ON o.product_id = r.product_id AND o.prefix = left(r.prefix, n.length) AND o.region IN (r.region, '')
  WHERE n.length < length(r.prefix)
), topmost AS MATERIALIZED (
  SELECT r.* FROM rated r LEFT JOIN below b USING (product_id, region, prefix) WHERE b.product_id IS NULL
), step AS MATERIALIZED (
  SELECT t.rate_id, t.line_id, t.product_id, t.region, t.prefix, n.length, left(t.prefix, n.length) AS parent
  FROM topmost t CROSS JOIN generate_series(1, 14) AS n (length)
  WHERE n.length BETWEEN t.code_length AND length(t.prefix) - 1
), hole AS MATERIALIZED (
  SELECT product_id, region, parent FROM step GROUP BY product_id, region, parent
  -- Where there is something for each next digit, the hole is further on, or nowhere.
  HAVING count(DISTINCT left(prefix, length + 1)) < 10
), beside AS (
  SELECT DISTINCT ON (s.product_id, s.region, s.prefix) s.*
  FROM step s JOIN hole h ON h.product_id = s.product_id AND h.region = s.region AND h.parent = s.parent
  ORDER BY s.product_id, s.region, s.prefix, s.length DESC
)
SELECT
  'warning' AS severity, min(rate_id) AS rate_id, min(line_id) AS line_id, product_id, region, parent AS prefix,
  NULL::bigint AS time_band_id, count(*) AS priced_count,
  (array_agg(prefix ORDER BY prefix COLLATE "C"))[1:4] AS priced
FROM beside
GROUP BY product_id, region, parent
