-- The connections that hold a chunk of the run, as they call themselves. Parallel workers of PostgreSQL have the name of the
-- connection that they work for, and are left out.
SELECT
  s.application_name, c.number, c.account_count, c.record_count, s.xact_start,
  coalesce(s.wait_event_type = 'Lock', false) AS is_waiting
FROM pg_stat_activity s
JOIN run_chunk c
  ON c.run_id = %(run_id)s AND c.number = substring(s.application_name FROM 'chunk (\d{1,9}) ')::integer
WHERE s.datname = current_database()
  AND s.backend_type = 'client backend'
  AND s.application_name LIKE %(name)s
  AND s.xact_start IS NOT NULL
ORDER BY c.number
