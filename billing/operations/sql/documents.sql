-- The draft documents of the invoiced accounts, with their lines and taxes.
WITH document AS (
  INSERT INTO invoice (
    id, customer_id, accounts_receivable_id, kind, state, currency_id, period_start, period_end, invoice_date, due_date,
    customer_name, customer_address, customer_vat_number, message, net_amount, tax_amount, total_amount, content_sha256
  )
  SELECT
    o.invoice_id, o.customer_id, a.accounts_receivable_id,
    CASE WHEN o.net_amount < 0 THEN 'CREDIT_NOTE' ELSE 'INVOICE' END, 'DRAFT', a.currency_id, a.period_start,
    %(cutoff_date)s, %(invoice_date)s, %(due_date)s, c.name, c.address, c.vat_number, a.message,
    o.net_amount, o.tax_amount, o.net_amount + o.tax_amount, ''
  FROM produced_account o
  JOIN account a ON a.id = o.id
  JOIN customer c ON c.id = o.customer_id
  WHERE o.outcome = 'invoiced'
), line AS (
  INSERT INTO invoice_line (
    id, invoice_id, line_number, kind, product_id, product_code, product_name, product_group, product_line, region,
    usage_type, unit, description, late_period, quantity, rate_id, unit_price, unit_size, exact_amount, amount,
    tax_rate_id, charge_count
  )
  SELECT
    l.id, o.invoice_id, l.line_number, l.kind, l.product_id, l.product_code, l.product_name, l.product_group,
    l.product_line, l.region, l.usage_type, l.unit, l.description, l.late_period, l.quantity, l.rate_id, l.unit_price,
    l.unit_size, l.exact_amount, l.amount, l.tax_rate_id, l.charge_count
  FROM produced_line l
  JOIN produced_account o ON o.id = l.account_id
)
INSERT INTO invoice_tax (invoice_id, tax_rate_id, name, percent, net_amount, tax_amount)
SELECT
  o.invoice_id, l.tax_rate_id, t.name, t.percent, sum(l.amount), round(sum(l.amount) * t.percent * 0.01, o.minor_units)
FROM produced_line l
JOIN produced_account o ON o.id = l.account_id
JOIN tax_rate t ON t.id = l.tax_rate_id
GROUP BY o.invoice_id, l.tax_rate_id, t.name, t.percent, o.minor_units
