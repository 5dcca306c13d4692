-- The lines of an invoice with what is chosen of each, and with what credit notes, drafts too, have taken of it before.
SELECT l.id, l.line_number, l.tax_rate_id, l.charge_count, l.quantity, l.exact_amount, l.amount,
  coalesce(c.charge_count, 0) AS chosen_count, coalesce(c.quantity, 0) AS chosen_quantity,
  coalesce(c.amount, 0) AS chosen_amount, k.line_count AS credited_lines, k.charge_count AS credited_count,
  k.exact_amount AS credited_exact, k.amount AS credited_amount
FROM invoice_line l
LEFT JOIN (
  SELECT line_id, count(*) AS charge_count, sum(quantity) AS quantity, sum(amount) AS amount
  FROM chosen_charge GROUP BY line_id
) c ON c.line_id = l.id
CROSS JOIN LATERAL (
  SELECT count(*) AS line_count, coalesce(sum(k.charge_count), 0)::bigint AS charge_count,
    coalesce(sum(k.exact_amount), 0) AS exact_amount, coalesce(sum(k.amount), 0) AS amount
  FROM invoice_line k WHERE k.credited_line_id = l.id
) k
WHERE l.invoice_id = %(invoice_id)s
ORDER BY l.line_number
