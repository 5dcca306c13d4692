INSERT INTO usage_day AS known (group_id, currency_id, day, product_id, charge_count, record_count, amount)
WITH line AS MATERIALIZED (
  SELECT i.id AS invoice_id, i.currency_id, l.id AS line_id
  FROM invoice i
  JOIN invoice_line l ON l.invoice_id = i.id
  WHERE i.id IN (SELECT invoice_id FROM counting WHERE sign <> 0)
), charged AS (
  SELECT line.invoice_id, line.currency_id, c.record_id, c.amount, 1 AS sign
  FROM line JOIN usage_charge c ON c.line_id = line.line_id
  UNION ALL
  -- What a credit note took back.
  SELECT line.invoice_id, line.currency_id, c.record_id, -c.amount, -1
  FROM line JOIN credited_charge k ON k.line_id = line.line_id JOIN usage_charge c ON c.id = k.charge_id
  UNION ALL
  -- What was taken back on a later invoice.
  SELECT line.invoice_id, line.currency_id, c.record_id, t.amount, -1
  FROM line JOIN transaction t ON t.invoice_line_id = line.line_id JOIN usage_charge c ON c.id = t.reversed_charge_id
), of_document AS (
  SELECT c.invoice_id, c.currency_id, r.billing_effective_date AS day, r.product_id,
    count(*) AS charge_count, sum(c.sign) AS record_count, sum(c.amount) AS amount
  FROM charged c
  JOIN usage_data_record r ON r.id = c.record_id
  GROUP BY 1, 2, 3, 4
)
SELECT k.group_id, d.currency_id, d.day, d.product_id, sum(k.sign * d.charge_count), sum(k.sign * d.record_count),
  sum(k.sign * d.amount)
FROM counting k
JOIN of_document d ON d.invoice_id = k.invoice_id
WHERE k.sign <> 0
GROUP BY 1, 2, 3, 4
ON CONFLICT ON CONSTRAINT usage_day_once DO UPDATE SET
  charge_count = known.charge_count + EXCLUDED.charge_count,
  record_count = known.record_count + EXCLUDED.record_count,
  amount = known.amount + EXCLUDED.amount
