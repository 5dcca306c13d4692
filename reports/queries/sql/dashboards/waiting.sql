-- Pending usage by customer and the group of ages that it is in: one pass over the inbox.
SELECT p.customer_id, (%(starts)s::integer[])[
    width_bucket(greatest(%(on)s::date - p.billing_effective_date, 0), %(starts)s::integer[])] AS from_days,
  count(*) AS record_count, min(p.billing_effective_date) AS oldest
FROM pending_usage p
WHERE %(group_id)s::bigint IS NULL
  OR p.customer_id IN (SELECT m.customer_id FROM customer_group_member m WHERE m.customergroup_id = %(group_id)s)
GROUP BY 1, 2
