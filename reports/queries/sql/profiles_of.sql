-- The profile of each of {asked}, ids of invoices (or none) and of their customers, and by what it has it: its own, else its
-- customer's, else that of the first of the customer's groups, by name, that has one, else the default. One that is kept to
-- others does not count: the customer has left the group since it was given.
SELECT a.id AS invoice_id, f.profile_id, f.profile_name, f.group_name, f.given_by
FROM {asked} a
CROSS JOIN LATERAL (
  SELECT p.id AS profile_id, p.name AS profile_name, g.group_name, g.given_by
  FROM (
    SELECT 1 AS place, 'invoice' AS given_by, o.profile_id, NULL AS group_name
    FROM invoice_report_profile o
    WHERE o.invoice_id = a.id
    UNION ALL
    SELECT 2, 'customer', c.profile_id, NULL
    FROM customer_report_profile c
    WHERE c.customer_id = a.customer_id
    UNION ALL
    SELECT 3, 'group', r.profile_id, n.name
    FROM customer_group_member b
    JOIN customer_group n ON n.id = b.customergroup_id
    JOIN customer_group_report_profile r ON r.group_id = n.id
    WHERE b.customer_id = a.customer_id
    UNION ALL
    SELECT 4, 'default', d.id, NULL
    FROM invoice_usage_report_profile d
    WHERE d.is_default
  ) g
  JOIN invoice_usage_report_profile p ON p.id = g.profile_id
  WHERE CASE
    WHEN p.customer_id IS NOT NULL THEN p.customer_id = a.customer_id
    ELSE NOT EXISTS (SELECT FROM invoice_usage_report_profile_group k WHERE k.invoiceusagereportprofile_id = p.id)
      OR EXISTS (
        SELECT FROM invoice_usage_report_profile_group k
        JOIN customer_group_member b ON b.customergroup_id = k.customergroup_id
        WHERE k.invoiceusagereportprofile_id = p.id AND b.customer_id = a.customer_id
      )
  END
  ORDER BY g.place, g.group_name COLLATE "C"
  LIMIT 1
) f
