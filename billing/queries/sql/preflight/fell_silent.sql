-- How many of the run's customers had usage in an earlier run, and have none now.
SELECT count(*)
FROM preflight_customer c
JOIN run_account a ON a.run_id = %(last_run_id)s AND a.customer_id = c.customer_id AND a.record_count > 0
WHERE c.record_count = 0
