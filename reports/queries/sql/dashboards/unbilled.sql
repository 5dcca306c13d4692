-- What waits by customer and age, in both pictures: of all customers by age, and those whose oldest usage waits longest.
WITH part AS MATERIALIZED ({waiting})
(SELECT from_days, NULL::bigint, NULL, NULL, count(*), sum(record_count)::bigint, min(oldest)
 FROM part GROUP BY 1 ORDER BY 1)
UNION ALL
(SELECT NULL, c.id, c.account_number, c.name, 1, sum(part.record_count)::bigint, min(part.oldest)
 FROM part JOIN customer c ON c.id = part.customer_id
 GROUP BY c.id, c.account_number, c.name
 ORDER BY min(part.oldest), sum(part.record_count) DESC, c.account_number LIMIT %(top)s)
