-- One pass over the inbox: by customer and age, and from that both pictures.
WITH part AS MATERIALIZED (
  SELECT p.customer_id, width_bucket(%(on)s::date - p.billing_effective_date, %(limits)s::integer[]) AS age,
    count(*) AS record_count, min(p.billing_effective_date) AS oldest
  FROM pending_usage p
  WHERE %(group_id)s::bigint IS NULL
    OR p.customer_id IN (SELECT m.customer_id FROM customer_group_member m WHERE m.customergroup_id = %(group_id)s)
  GROUP BY 1, 2
)
(SELECT age, NULL::bigint, NULL, NULL, count(*), sum(record_count)::bigint, min(oldest)
 FROM part GROUP BY 1 ORDER BY 1)
UNION ALL
(SELECT NULL, c.id, c.account_number, c.name, 1, sum(part.record_count)::bigint, min(part.oldest)
 FROM part JOIN customer c ON c.id = part.customer_id
 GROUP BY c.id, c.account_number, c.name
 ORDER BY min(part.oldest), sum(part.record_count) DESC, c.account_number LIMIT %(top)s)
