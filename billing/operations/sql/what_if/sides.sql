-- How many customers would pay more, less, and the same.
SELECT count(*) FILTER (WHERE difference > 0), count(*) FILTER (WHERE difference < 0), count(*) FILTER (WHERE difference = 0)
FROM (SELECT sum("then") - sum(now) AS difference FROM revenue GROUP BY customer_id) r
