-- The latest runs of the days, and what became of their accounts, of a group's customers where one is asked for.
WITH run AS MATERIALIZED (
  SELECT r.id, r.name, r.status, r.invoice_date, r.commenced_at, r.completed_at
  FROM billing_run r
  WHERE r.status IN ('commenced', 'completed') AND r.invoice_date >= %(first)s AND r.invoice_date < %(until)s
  ORDER BY r.invoice_date DESC, r.id DESC LIMIT %(limit)s
)
SELECT run.id, run.name, run.status, run.invoice_date, run.commenced_at, run.completed_at,
  count(a.id) FILTER (WHERE a.outcome = 'invoiced'), count(a.id) FILTER (WHERE a.outcome = 'held'),
  count(a.id) FILTER (WHERE a.outcome = 'failed'),
  coalesce(sum(i.net_amount) FILTER (WHERE a.outcome = 'invoiced' AND i.currency_id = %(currency)s), 0)
FROM run
LEFT JOIN run_account a ON a.run_id = run.id
  AND (%(group_id)s::bigint IS NULL
    OR a.customer_id IN (SELECT m.customer_id FROM customer_group_member m WHERE m.customergroup_id = %(group_id)s))
LEFT JOIN invoice i ON i.id = a.invoice_id
GROUP BY run.id, run.name, run.status, run.invoice_date, run.commenced_at, run.completed_at
ORDER BY run.invoice_date, run.id
