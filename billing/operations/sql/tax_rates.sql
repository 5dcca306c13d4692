-- Which tax rate holds at the run's tax point, the last day of the period, in place of each that may be asked for: of those
-- that replace one another the one that began last by that day. Those that came after the run was commenced are not seen.
CREATE TEMPORARY TABLE tax_rate_at ON COMMIT DROP AS
WITH RECURSIVE followed AS (
  SELECT id, id AS first_id, start_date FROM tax_rate WHERE predecessor_id IS NULL
  UNION ALL
  SELECT t.id, f.first_id, t.start_date
  FROM followed f
  JOIN tax_rate t ON t.predecessor_id = f.id AND tollbook_seen(t.created_in, %(snapshot)s::pg_snapshot)
), valid AS (
  SELECT DISTINCT ON (first_id) first_id, id
  FROM followed
  WHERE start_date IS NULL OR start_date < %(cutoff_date)s
  ORDER BY first_id, start_date DESC NULLS LAST
)
SELECT f.id AS asked_id, t.id AS tax_rate_id, t.name, t.percent, t.treatment, t.note
FROM followed f
JOIN valid v ON v.first_id = f.first_id
JOIN tax_rate t ON t.id = v.id;
ANALYZE tax_rate_at
