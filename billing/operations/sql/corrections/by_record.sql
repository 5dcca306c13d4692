-- The first records that differ, customer by customer.
SELECT c.id, c.account_number, d.record_id, r.number, d.used_on, p.code, d.invoice_id, d.number, d.currency_id, d.amount_before,
  d.amount, d.amount - d.amount_before
FROM difference d
JOIN customer c ON c.id = d.customer_id
JOIN product p ON p.id = d.product_id
JOIN usage_data_record r ON r.id = d.record_id
WHERE NOT d.is_moved
ORDER BY c.account_number COLLATE "C", d.used_on, d.record_id
LIMIT %(limit)s
