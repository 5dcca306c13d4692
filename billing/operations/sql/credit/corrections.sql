-- What the prices of charges that a credit note takes back were corrected by goes back with them: the note takes back
-- the charges themselves. A correction for each product and tax rate waits for the customer's next invoice.
WITH corrected AS MATERIALIZED (
  SELECT l.product_id, l.tax_rate_id, c.*, p.turn, p.amount AS corrected_amount
  FROM invoice_line l
  JOIN credited_charge k ON k.line_id = l.id
  JOIN usage_charge c ON c.id = k.charge_id
  CROSS JOIN LATERAL (
    SELECT p.turn, p.amount FROM price_correction p WHERE p.charge_id = c.id ORDER BY p.turn DESC LIMIT 1
  ) p
  WHERE l.invoice_id = %(note_id)s AND p.amount <> c.amount
), correction AS MATERIALIZED (
  SELECT g.*, nextval(pg_get_serial_sequence('transaction', 'id')) AS credit_id, p.code
  FROM (
    SELECT product_id, tax_rate_id, sum(corrected_amount - amount) AS amount FROM corrected GROUP BY product_id, tax_rate_id
  ) g
  JOIN product p ON p.id = g.product_id
  ORDER BY p.code COLLATE "C", g.tax_rate_id
), remembered AS (
  INSERT INTO price_correction (
    customer_id, charge_id, turn, rate_id, billed_quantity, counted_month, counted_id, amount_before, amount, credit_id,
    created_by_id
  )
  SELECT c.customer_id, c.id, c.turn + 1, c.rate_id, coalesce(c.billed_quantity, c.quantity), c.counted_month, c.counted_id,
    c.corrected_amount, c.amount, x.credit_id, %(user_id)s
  FROM corrected c
  JOIN correction x ON x.product_id = c.product_id AND x.tax_rate_id = c.tax_rate_id
)
INSERT INTO transaction (
  id, customer_id, kind, product_id, description, quantity, unit_price, currency_id, tax_rate_id, transaction_date
)
SELECT x.credit_id, i.customer_id, 'CORRECTION', x.product_id,
  left('Price correction of ' || x.code || ' taken back with invoice ' || i.number, 300), -1, x.amount, i.currency_id,
  x.tax_rate_id, %(on)s::date
FROM correction x
JOIN invoice i ON i.id = %(invoice_id)s
