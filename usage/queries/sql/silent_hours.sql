-- Hours in which a source system sent nothing, though it did in this hour of each of the past four weeks. Scalar
-- subqueries with LIMIT are probes of the index on source_system, from_date: EXISTS might be made a join of all records.
SELECT s.id, h.hour
FROM source_system s
CROSS JOIN generate_series(%(first)s::timestamptz, %(last)s::timestamptz, interval '1 hour') AS h(hour)
WHERE NOT coalesce((
    SELECT true FROM usage_data_record r
    WHERE r.source_system_id = s.id AND r.from_date >= h.hour AND r.from_date < h.hour + interval '1 hour'
    LIMIT 1
  ), false)
  AND (
    SELECT true FROM usage_data_record r
    WHERE r.source_system_id = s.id
      AND r.from_date >= h.hour - interval '168 hours' AND r.from_date < h.hour - interval '167 hours'
    LIMIT 1
  )
  AND (
    SELECT true FROM usage_data_record r
    WHERE r.source_system_id = s.id
      AND r.from_date >= h.hour - interval '336 hours' AND r.from_date < h.hour - interval '335 hours'
    LIMIT 1
  )
  AND (
    SELECT true FROM usage_data_record r
    WHERE r.source_system_id = s.id
      AND r.from_date >= h.hour - interval '504 hours' AND r.from_date < h.hour - interval '503 hours'
    LIMIT 1
  )
  AND (
    SELECT true FROM usage_data_record r
    WHERE r.source_system_id = s.id
      AND r.from_date >= h.hour - interval '672 hours' AND r.from_date < h.hour - interval '671 hours'
    LIMIT 1
  )
ORDER BY s.id, h.hour
