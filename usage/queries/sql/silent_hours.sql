-- Hours in which a source system sent nothing, though it did in this hour of each of the past four weeks. Each question
-- is one probe of the index on source_system, from_date, id, whatever the planner thinks of how usage is spread: only
-- that index compares and sorts by the two columns together.
SELECT s.id, h.hour
FROM source_system s
CROSS JOIN generate_series(%(first)s::timestamptz, %(last)s::timestamptz, interval '1 hour') AS h(hour)
WHERE NOT coalesce((
    SELECT true FROM usage_data_record r
    WHERE (r.source_system_id, r.from_date) >= (s.id, h.hour)
      AND (r.source_system_id, r.from_date) < (s.id, h.hour + interval '1 hour')
    ORDER BY r.source_system_id, r.from_date LIMIT 1
  ), false)
  AND (
    SELECT true FROM usage_data_record r
    WHERE (r.source_system_id, r.from_date) >= (s.id, h.hour - interval '168 hours')
      AND (r.source_system_id, r.from_date) < (s.id, h.hour - interval '167 hours')
    ORDER BY r.source_system_id, r.from_date LIMIT 1
  )
  AND (
    SELECT true FROM usage_data_record r
    WHERE (r.source_system_id, r.from_date) >= (s.id, h.hour - interval '336 hours')
      AND (r.source_system_id, r.from_date) < (s.id, h.hour - interval '335 hours')
    ORDER BY r.source_system_id, r.from_date LIMIT 1
  )
  AND (
    SELECT true FROM usage_data_record r
    WHERE (r.source_system_id, r.from_date) >= (s.id, h.hour - interval '504 hours')
      AND (r.source_system_id, r.from_date) < (s.id, h.hour - interval '503 hours')
    ORDER BY r.source_system_id, r.from_date LIMIT 1
  )
  AND (
    SELECT true FROM usage_data_record r
    WHERE (r.source_system_id, r.from_date) >= (s.id, h.hour - interval '672 hours')
      AND (r.source_system_id, r.from_date) < (s.id, h.hour - interval '671 hours')
    ORDER BY r.source_system_id, r.from_date LIMIT 1
  )
ORDER BY s.id, h.hour
