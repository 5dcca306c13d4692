-- The differences become a credit of what was charged and a new charge of what it comes to, for each invoice, product and
-- tax rate, and each charge remembers them. Gives back how many transactions there are and what they come to.
WITH correction AS MATERIALIZED (
  SELECT g.*, nextval(pg_get_serial_sequence('transaction', 'id')) AS credit_id,
    nextval(pg_get_serial_sequence('transaction', 'id')) AS new_charge_id,
    left('Price of ' || p.code || ' corrected, invoice ' || g.number || ': ', 150) AS begun,
    (%(at)s AT TIME ZONE c.timezone)::date AS transaction_date
  FROM (
    SELECT customer_id, currency_id, invoice_id, number, product_id, tax_rate_id, sum(amount_before) AS credited,
      sum(amount) AS charged
    FROM difference
    WHERE NOT is_moved
    GROUP BY customer_id, currency_id, invoice_id, number, product_id, tax_rate_id
  ) g
  JOIN product p ON p.id = g.product_id
  JOIN customer c ON c.id = g.customer_id
  ORDER BY g.customer_id, g.number COLLATE "C", p.code COLLATE "C"
), written AS (
  INSERT INTO transaction (
    id, customer_id, kind, product_id, description, quantity, unit_price, currency_id, tax_rate_id, transaction_date
  )
  SELECT credit_id, customer_id, 'CORRECTION', product_id, left(begun || 'credit' || %(reason)s, 300), -1, credited,
    currency_id, tax_rate_id, transaction_date
  FROM correction
  UNION ALL
  SELECT new_charge_id, customer_id, 'CORRECTION', product_id, left(begun || 'new charge' || %(reason)s, 300), 1, charged,
    currency_id, tax_rate_id, transaction_date
  FROM correction
  RETURNING customer_id
), remembered AS (
  INSERT INTO price_correction (
    customer_id, charge_id, turn, rate_id, billed_quantity, counted_month, counted_id, amount_before, amount, credit_id,
    new_charge_id, created_by_id
  )
  SELECT d.customer_id, d.charge_id, d.turn + 1, d.rate_id, d.billed_quantity, d.counted_month, d.counted_id, d.amount_before,
    d.amount, k.credit_id, k.new_charge_id, %(user_id)s
  FROM difference d
  LEFT JOIN correction k ON NOT d.is_moved AND k.invoice_id = d.invoice_id AND k.product_id = d.product_id
    AND k.tax_rate_id IS NOT DISTINCT FROM d.tax_rate_id
  RETURNING credit_id
)
SELECT (SELECT count(DISTINCT customer_id) FROM written), (SELECT count(*) FROM written), (SELECT count(credit_id) FROM remembered)
