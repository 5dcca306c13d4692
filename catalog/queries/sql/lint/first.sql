-- The first few of what a rule found, in words that its query chose, and how many there are of each severity.
SELECT
  n.*, p.code AS product, b.name AS band
FROM (
  SELECT
    f.*,
    count(*) OVER w AS total_count,
    count(f.line_id) OVER w AS line_count,
    row_number() OVER (
      PARTITION BY f.severity
      ORDER BY f.line_id IS NULL, f.product_id, f.region, f.prefix COLLATE "C", f.time_band_id NULLS FIRST
    ) AS turn
  FROM (
{rule}
  ) f
  WINDOW w AS (PARTITION BY f.severity)
) n
JOIN product p ON p.id = n.product_id
LEFT JOIN time_band b ON b.id = n.time_band_id
WHERE n.turn <= %(shown)s
ORDER BY n.severity, n.turn
