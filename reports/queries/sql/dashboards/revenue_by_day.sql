SELECT date_trunc(%(unit)s, i.invoice_date)::date, count(*), sum(i.net_amount)
FROM invoice i
WHERE i.state = 'POSTED' AND i.currency_id = %(currency)s
  AND i.invoice_date >= %(first)s AND i.invoice_date < %(until)s
  AND (%(group_id)s::bigint IS NULL
    OR i.customer_id IN (SELECT m.customer_id FROM customer_group_member m WHERE m.customergroup_id = %(group_id)s))
GROUP BY 1 ORDER BY 1
