-- By customer, those first who would pay so much more; the other way round with a sign of -1.
SELECT c.id, c.account_number, c.name, r.record_count, r.now, r."then", r.difference
FROM (
  SELECT customer_id, sum(record_count)::bigint AS record_count, sum(now) AS now, sum("then") AS "then",
    sum("then") - sum(now) AS difference
  FROM revenue GROUP BY customer_id
) r
JOIN customer c ON c.id = r.customer_id
WHERE %(is_all)s OR r.difference * %(sign)s > 0
ORDER BY r.difference * %(sign)s DESC, c.account_number COLLATE "C"
LIMIT %(limit)s
