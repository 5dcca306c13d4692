WITH part AS (
  SELECT i.customer_id, count(*) AS document_count, sum(i.net_amount) AS amount
  FROM invoice i
  WHERE i.state = 'POSTED' AND i.currency_id = %(currency)s
    AND i.invoice_date >= %(first)s AND i.invoice_date < %(until)s
    AND (%(group_id)s::bigint IS NULL
      OR i.customer_id IN (SELECT m.customer_id FROM customer_group_member m WHERE m.customergroup_id = %(group_id)s))
  GROUP BY 1
), ranked AS MATERIALIZED (
  SELECT *, row_number() OVER (ORDER BY amount DESC, customer_id) AS place FROM part
)
SELECT r.customer_id, c.account_number, c.name, 1, r.document_count, used.record_count, r.amount
FROM (SELECT * FROM ranked WHERE place <= %(top)s) r
JOIN customer c ON c.id = r.customer_id
-- Records only of the few customers that are shown: it reads their lines.
CROSS JOIN LATERAL (
  SELECT coalesce(
    sum(CASE WHEN l.credited_line_id IS NULL THEN l.charge_count ELSE -l.charge_count END), 0)::bigint AS record_count
  FROM invoice i
  JOIN invoice_line l ON l.invoice_id = i.id
  WHERE i.customer_id = r.customer_id AND i.state = 'POSTED' AND i.currency_id = %(currency)s
    AND i.invoice_date >= %(first)s AND i.invoice_date < %(until)s
) used
UNION ALL
SELECT NULL, NULL, NULL, count(*), sum(document_count), NULL, sum(amount)
FROM ranked WHERE place > %(top)s HAVING count(*) > 0
ORDER BY 4, 7 DESC
