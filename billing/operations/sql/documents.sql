-- The draft documents of the invoiced accounts, with their lines and taxes. The tax point is the last day of the period.
WITH document AS (
  INSERT INTO invoice (
    id, customer_id, accounts_receivable_id, kind, state, currency_id, period_start, period_end, invoice_date, due_date,
    legal_entity_id, seller_name, seller_address, seller_vat_number, seller_registration, payment_details,
    customer_name, customer_address, customer_vat_number, language, tax_point, message, net_amount, tax_amount,
    total_amount, content_sha256, is_manual
  )
  SELECT
    o.invoice_id, o.customer_id, a.accounts_receivable_id,
    CASE WHEN o.net_amount + o.tax_amount < 0 THEN 'CREDIT_NOTE' ELSE 'INVOICE' END, 'DRAFT', a.currency_id, a.period_start,
    %(cutoff_date)s, %(invoice_date)s,
    -- The run's, else by the customer's terms.
    coalesce(%(due_date)s::date, %(invoice_date)s::date + c.payment_terms_days), p.legal_entity_id, p.seller_name, p.seller_address,
    p.seller_vat_number, p.seller_registration, p.payment_details, p.customer_name, p.customer_address,
    p.customer_vat_number, p.language, %(cutoff_date)s::date - 1, a.message,
    o.net_amount, o.tax_amount, o.net_amount + o.tax_amount, '',
    %(transaction_ids)s::bigint[] IS NOT NULL
  FROM produced_account o
  JOIN account a ON a.id = o.id
  JOIN customer c ON c.id = o.customer_id
  JOIN ({party}) p ON p.customer_id = o.customer_id
  WHERE o.outcome = 'invoiced'
), line AS (
  INSERT INTO invoice_line (
    id, invoice_id, line_number, kind, product_id, product_code, product_name, product_group, product_line, region,
    usage_type, unit, description, late_period, quantity, rate_id, unit_price, unit_size, exact_amount, amount,
    tax_rate_id, charge_count, coupon_code
  )
  SELECT
    l.id, o.invoice_id, l.line_number, l.kind, l.product_id, l.product_code, l.product_name, l.product_group,
    l.product_line, l.region, l.usage_type, l.unit, l.description, l.late_period, l.quantity, l.rate_id, l.unit_price,
    l.unit_size, l.exact_amount, l.amount, l.tax_rate_id, l.charge_count,
    l.coupon_code
  FROM produced_line l
  JOIN produced_account o ON o.id = l.account_id
)
INSERT INTO invoice_tax (invoice_id, tax_rate_id, name, percent, net_amount, tax_amount, note)
SELECT
  o.invoice_id, l.tax_rate_id, t.name, t.percent, sum(l.amount), round(sum(l.amount) * t.percent * 0.01, o.minor_units),
  t.note
FROM produced_line l
JOIN produced_account o ON o.id = l.account_id
JOIN tax_rate t ON t.id = l.tax_rate_id
GROUP BY o.invoice_id, l.tax_rate_id, t.name, t.percent, t.note, o.minor_units
