-- Hours in which a source system sent nothing, though it did in this hour of each of the past four weeks: the hour of its
-- own clock, for summer time comes to people and not to UTC. Each question
-- is one probe of the index on source_system, from_date, id, whatever the planner thinks of how usage is spread: only
-- that index compares and sorts by the two columns together.
SELECT s.id, h.hour
FROM source_system s
CROSS JOIN generate_series(%(first)s::timestamptz, %(last)s::timestamptz, interval '1 hour') AS h(hour)
CROSS JOIN LATERAL (
  SELECT
    (h.hour AT TIME ZONE s.timezone - interval '7 days') AT TIME ZONE s.timezone AS before_1,
    (h.hour AT TIME ZONE s.timezone - interval '14 days') AT TIME ZONE s.timezone AS before_2,
    (h.hour AT TIME ZONE s.timezone - interval '21 days') AT TIME ZONE s.timezone AS before_3,
    (h.hour AT TIME ZONE s.timezone - interval '28 days') AT TIME ZONE s.timezone AS before_4
) w
WHERE NOT coalesce((
    SELECT true FROM usage_data_record r
    WHERE (r.source_system_id, r.from_date) >= (s.id, h.hour)
      AND (r.source_system_id, r.from_date) < (s.id, h.hour + interval '1 hour')
    ORDER BY r.source_system_id, r.from_date LIMIT 1
  ), false)
  AND (
    SELECT true FROM usage_data_record r
    WHERE (r.source_system_id, r.from_date) >= (s.id, w.before_1)
      AND (r.source_system_id, r.from_date) < (s.id, w.before_1 + interval '1 hour')
    ORDER BY r.source_system_id, r.from_date LIMIT 1
  )
  AND (
    SELECT true FROM usage_data_record r
    WHERE (r.source_system_id, r.from_date) >= (s.id, w.before_2)
      AND (r.source_system_id, r.from_date) < (s.id, w.before_2 + interval '1 hour')
    ORDER BY r.source_system_id, r.from_date LIMIT 1
  )
  AND (
    SELECT true FROM usage_data_record r
    WHERE (r.source_system_id, r.from_date) >= (s.id, w.before_3)
      AND (r.source_system_id, r.from_date) < (s.id, w.before_3 + interval '1 hour')
    ORDER BY r.source_system_id, r.from_date LIMIT 1
  )
  AND (
    SELECT true FROM usage_data_record r
    WHERE (r.source_system_id, r.from_date) >= (s.id, w.before_4)
      AND (r.source_system_id, r.from_date) < (s.id, w.before_4 + interval '1 hour')
    ORDER BY r.source_system_id, r.from_date LIMIT 1
  )
ORDER BY s.id, h.hour
