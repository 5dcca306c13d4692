SELECT source_system_id, day, id, number, fault
FROM (
  SELECT
    source_system_id, day, id, number, fault,
    row_number() OVER (PARTITION BY source_system_id, day ORDER BY number, id) AS place
  FROM placed
  WHERE fault IS NOT NULL
) misplaced
WHERE place <= %(shown_count)s
ORDER BY day DESC, source_system_id, place
