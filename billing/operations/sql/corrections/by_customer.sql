-- What the differences of each customer come to, the largest first. Of records without a price nothing is known.
SELECT c.id, c.account_number, c.name, d.currency_id, d.invoice_count, d.record_count, d.amount_before, d.amount, d.difference,
  d.unpriced_count
FROM (
  SELECT customer_id, currency_id, count(DISTINCT invoice_id) AS invoice_count, count(*) AS record_count,
    coalesce(sum(amount_before) FILTER (WHERE amount IS NOT NULL), 0) AS amount_before, coalesce(sum(amount), 0) AS amount,
    coalesce(sum(amount - amount_before), 0) AS difference, count(*) FILTER (WHERE amount IS NULL) AS unpriced_count
  FROM difference WHERE NOT is_moved GROUP BY customer_id, currency_id
) d
JOIN customer c ON c.id = d.customer_id
ORDER BY abs(d.difference) DESC, c.account_number COLLATE "C", d.currency_id
LIMIT %(limit)s
