-- Posted invoices of the benchmark's company, month after month, with five lines each.
INSERT INTO invoice (customer_id, currency_id, kind, state, period_start, period_end, invoice_date, due_date, customer_name,
  customer_address, customer_vat_number, message, net_amount, tax_amount, total_amount, content_sha256)
SELECT c.id, c.currency_id, 'INVOICE', 'DRAFT', m.day, m.day + interval '1 month', m.day + interval '1 month',
  m.day + interval '2 months', c.name, c.address, c.vat_number, '', 50, 9.5, 59.5, ''
FROM (SELECT *, row_number() OVER (ORDER BY id) - 1 AS turn, count(*) OVER () AS customers FROM customer) c
JOIN generate_series(0, %(invoices)s - 1) n ON n %% c.customers = c.turn
CROSS JOIN LATERAL (SELECT (date '1990-01-01' + make_interval(months => (n / c.customers)::integer))::date AS day) m
ORDER BY n;
INSERT INTO invoice_line (invoice_id, line_number, kind, product_id, product_code, product_name, product_group,
  product_line, region, usage_type, unit, description, quantity, unit_price, unit_size, exact_amount, amount, tax_rate_id,
  charge_count)
SELECT i.id, n, 'USAGE', p.id, p.code, p.name, p.product_group, p.product_line, 'DE', 'Call', 'second', '', 60000, 0.01, 60,
  10, 10, t.id, 1000
FROM invoice i
CROSS JOIN generate_series(1, 5) n
JOIN product p ON p.code = 'VOICE-' || n
CROSS JOIN tax_rate t;
UPDATE number_series SET next_number = next_number + %(invoices)s WHERE kind = 'INVOICE' AND legal_entity_id IS NULL;
UPDATE invoice i SET state = 'POSTED', posted_at = i.invoice_date, series_id = s.id, sequence_number = n.turn,
  number = 'B' || lpad(n.turn::text, 9, '0')
FROM (SELECT id, row_number() OVER (ORDER BY id) AS turn FROM invoice) n, number_series s
WHERE n.id = i.id AND s.kind = 'INVOICE' AND s.legal_entity_id IS NULL
