-- The profile of each invoice, and by what it has it: its own, else its customer's, else that of the first of the customer's
-- groups, by name, that has one, else the default.
SELECT i.id AS invoice_id, p.id AS profile_id, p.name AS profile_name, g.name AS group_name,
  CASE
    WHEN o.profile_id IS NOT NULL THEN 'invoice'
    WHEN m.profile_id IS NOT NULL THEN 'customer'
    WHEN g.profile_id IS NOT NULL THEN 'group'
    ELSE 'default'
  END AS given_by
FROM invoice i
LEFT JOIN invoice_report_profile o ON o.invoice_id = i.id
LEFT JOIN customer_report_profile m ON m.customer_id = i.customer_id
LEFT JOIN LATERAL (
  SELECT r.profile_id, n.name
  FROM customer_group_member b
  JOIN customer_group n ON n.id = b.customergroup_id
  JOIN customer_group_report_profile r ON r.group_id = n.id
  WHERE b.customer_id = i.customer_id
  ORDER BY n.name COLLATE "C"
  LIMIT 1
) g ON true
LEFT JOIN invoice_usage_report_profile d ON d.is_default
JOIN invoice_usage_report_profile p ON p.id = coalesce(o.profile_id, m.profile_id, g.profile_id, d.id)
WHERE i.id = ANY (%(invoice_ids)s)
