-- Transactions on lines that a credit note takes back wait again, as new ones: what was charged for its own sake if that is
-- asked for; what the invoice took back of earlier ones always, for it is owed to the customer whatever becomes of the
-- invoice (a correction, as its charge was reversed once and stays so).
INSERT INTO transaction (
  customer_id, kind, product_id, description, quantity, unit_price, currency_id, tax_rate_id, transaction_date, bill_date
)
SELECT x.customer_id, CASE x.kind WHEN 'REVERSAL' THEN 'CORRECTION' ELSE x.kind END, x.product_id, x.description, x.quantity,
  x.unit_price, x.currency_id, x.tax_rate_id, x.transaction_date, x.bill_date
FROM invoice_line l
JOIN transaction x ON x.invoice_line_id = l.credited_line_id
WHERE l.invoice_id = %(note_id)s AND (%(gives_back)s OR x.kind IN ('REVERSAL', 'CORRECTION'))
ORDER BY l.line_number
