-- The other runs in which customers of the run still wait, with how many and the first of them.
SELECT a.run_id, o.name, count(*), min(c.account_number)
FROM preflight_customer c
JOIN run_account a ON a.customer_id = c.customer_id AND a.outcome = 'waiting' AND a.run_id <> %(run_id)s
JOIN billing_run o ON o.id = a.run_id
GROUP BY a.run_id, o.name
ORDER BY a.run_id
