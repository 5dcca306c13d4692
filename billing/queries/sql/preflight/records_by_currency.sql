-- How many records wait in each currency of the run's customers.
SELECT currency_id, sum(record_count)::bigint FROM preflight_customer GROUP BY currency_id ORDER BY currency_id
