SELECT c.id, c.account_number, c.name, moved.before, moved.after
FROM (
  SELECT i.customer_id,
    coalesce(sum(i.net_amount) FILTER (WHERE i.invoice_date < %(first)s), 0) AS before,
    coalesce(sum(i.net_amount) FILTER (WHERE i.invoice_date >= %(first)s), 0) AS after
  FROM invoice i
  WHERE i.state = 'POSTED' AND i.currency_id = %(currency)s
    AND i.invoice_date >= %(before_first)s AND i.invoice_date < %(until)s
    AND (%(group_id)s::bigint IS NULL
      OR i.customer_id IN (SELECT m.customer_id FROM customer_group_member m WHERE m.customergroup_id = %(group_id)s))
  GROUP BY 1
) moved
JOIN customer c ON c.id = moved.customer_id
WHERE moved.after <> moved.before
ORDER BY abs(moved.after - moved.before) DESC, c.account_number
LIMIT %(top)s
