-- Holes in the numbers that source systems count up by one, among what was received since some time.
-- Only rows of numbers (a prefix, and digits of one width) that have fewer numbers than there are from their first to
-- their last are sorted. What seems missing is then looked up in the unique index: it may have come before that time.
WITH number AS NOT MATERIALIZED (
  SELECT
    r.source_system_id, left(r.number, length(r.number) - length(d.digits)) AS prefix, length(d.digits) AS width,
    d.digits::bigint AS value, d.digits LIKE '0_%%' AS is_padded
  FROM (
    SELECT source_system_id, number
    FROM usage_data_record
    WHERE usage_import_id >= %(first_import_id)s
      -- Numbers that the import made up, and those of successors, count nothing.
      AND number IS DISTINCT FROM 'I' || usage_import_id || '-' || line_number AND original_id IS NULL
      AND source_system_id = ANY(%(source_system_ids)s)
    UNION ALL
    SELECT source_system_id, number
    FROM usage_data_record
    WHERE usage_import_id IS NULL AND created_at >= %(since)s AND original_id IS NULL
      AND source_system_id = ANY(%(source_system_ids)s)
  ) r
  -- The last digits, as many as a bigint holds. A regular expression takes ten times as long.
  CROSS JOIN LATERAL (
    SELECT right(substr(r.number, length(rtrim(r.number, '0123456789')) + 1), 18) AS digits
  ) d
  WHERE d.digits <> ''
), width_of AS (
  SELECT
    source_system_id, prefix, width, bool_or(is_padded) AS is_padded,
    min(value) AS first, max(value) AS last, count(*) AS number_count
  FROM number
  GROUP BY source_system_id, prefix, width
), suspect AS (
  -- Numbers without zeros in front go on from 99 to 100: widths of one row of numbers belong together.
  SELECT source_system_id, prefix, CASE WHEN is_padded THEN width ELSE 0 END AS padding, array_agg(width) AS widths
  FROM width_of
  GROUP BY source_system_id, prefix, CASE WHEN is_padded THEN width ELSE 0 END
  HAVING max(last) - min(first) + 1 <> sum(number_count)
), neighbour AS (
  SELECT
    s.source_system_id, s.prefix, s.padding, n.value AS before,
    lag(n.value) OVER (PARTITION BY s.source_system_id, s.prefix, s.padding ORDER BY n.value) AS after
  FROM suspect s
  JOIN number n ON n.source_system_id = s.source_system_id AND n.prefix = s.prefix AND n.width = ANY(s.widths)
), hole AS MATERIALIZED (
  SELECT *
  FROM (
    SELECT *, row_number() OVER (PARTITION BY source_system_id ORDER BY prefix, padding, after) AS place
    FROM neighbour
    WHERE before - after > 1
  ) holes
  WHERE place <= %(checked_count)s
), here AS (
  -- What is there after all: for each width, one range of the unique index.
  SELECT h.source_system_id, h.place, substring(r.number FROM length(h.prefix) + 1)::bigint AS value
  FROM hole h
  CROSS JOIN LATERAL generate_series(
    CASE WHEN h.padding > 0 THEN h.padding ELSE length((h.after + 1)::text) END,
    CASE WHEN h.padding > 0 THEN h.padding ELSE length((h.before - 1)::text) END
  ) AS w(width)
  CROSS JOIN LATERAL (
    SELECT
      lpad((CASE WHEN h.padding > 0 THEN h.after + 1
        ELSE greatest(h.after + 1, ('1' || repeat('0', w.width - 1))::bigint) END)::text, w.width, '0') AS low,
      lpad((CASE WHEN h.padding > 0 THEN h.before - 1
        ELSE least(h.before - 1, repeat('9', w.width)::bigint) END)::text, w.width, '0') AS high
  ) bound
  CROSS JOIN LATERAL (
    SELECT u.number
    FROM usage_data_record u
    WHERE u.source_system_id = h.source_system_id
      AND u.number >= h.prefix || bound.low AND u.number <= h.prefix || bound.high
      AND length(u.number) = length(h.prefix) + w.width AND starts_with(u.number, h.prefix)
      AND substring(u.number FROM length(h.prefix) + 1) ~ '^[0-9]+$'
    OFFSET 0
  ) r
), edge AS (
  SELECT source_system_id, place, after AS value FROM hole
  UNION
  SELECT source_system_id, place, before FROM hole
  UNION
  SELECT source_system_id, place, value FROM here
), missing AS (
  SELECT
    source_system_id, place, value,
    lag(value) OVER (PARTITION BY source_system_id, place ORDER BY value) AS previous
  FROM edge
)
SELECT source_system_id, prefix, padding, first, last
FROM (
  SELECT
    m.source_system_id, h.prefix, h.padding, m.previous + 1 AS first, m.value - 1 AS last,
    row_number() OVER (PARTITION BY m.source_system_id ORDER BY h.prefix, h.padding, m.value) AS shown
  FROM missing m
  JOIN hole h USING (source_system_id, place)
  WHERE m.value - m.previous > 1
) found
WHERE shown <= %(shown_count)s
ORDER BY source_system_id, shown
