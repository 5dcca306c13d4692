SELECT p.customer_id, p.from_days, p.record_count, p.oldest
FROM pending_age p
WHERE %(group_id)s::bigint IS NULL
  OR p.customer_id IN (SELECT m.customer_id FROM customer_group_member m WHERE m.customergroup_id = %(group_id)s)
