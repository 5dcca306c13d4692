-- Posted invoices of the benchmark's company with their calls, five lines each: one with %(calls)s calls, and %(invoices)s
-- with 200 each, whose usage reports wait to be made. Rows are put in without asking the triggers.
SET session_replication_role = replica;
CREATE TEMPORARY TABLE bench_invoice AS
SELECT nextval('invoice_id_seq') AS id, n, CASE WHEN n = 0 THEN %(calls)s ELSE 200 END AS calls, c.id AS customer_id,
  nextval('invoice_line_id_seq') AS line_id
FROM generate_series(0, %(invoices)s) n
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS turn, count(*) OVER () AS customers FROM customer) c
  ON c.turn = n %% c.customers
ORDER BY n;
CREATE TEMPORARY TABLE bench_line AS
SELECT CASE WHEN k = 0 THEN i.line_id ELSE nextval('invoice_line_id_seq') END AS id, i.id AS invoice_id, i.customer_id, k, i.n,
  i.calls
FROM bench_invoice i
CROSS JOIN generate_series(0, 4) k;
CREATE TEMPORARY TABLE bench_call AS
SELECT nextval('usage_data_record_id_seq') AS id, l.id AS line_id, l.customer_id, v.id AS service_id, l.k, l.n, m,
  timestamptz '2026-08-01 00:00Z' + (m::bigint * 7919 %% 2505600) * interval '1 second' AS at, 1 + m * 31 %% 900 AS seconds,
  (1 + m * 31 %% 900) * 0.01 / 60 AS amount
FROM bench_line l
CROSS JOIN LATERAL generate_series(l.k, l.calls - 1, 5) m
JOIN (SELECT id, customer_id, row_number() OVER (PARTITION BY customer_id ORDER BY id) - 1 AS turn,
  count(*) OVER (PARTITION BY customer_id) AS services FROM subscription_service) v
  ON v.customer_id = l.customer_id AND v.turn = m / 5 %% v.services;
INSERT INTO usage_data_record (id, customer_id, subscription_service_id, product_id, usage_type_id, source_system_id, number,
  is_late, life_cycle_state, billing_directive, billing_effective_date, from_date, to_date, usage_amount, destination,
  region, rating_type)
SELECT b.id, b.customer_id, b.service_id, p.id, t.id, s.id, 'R' || b.n || '-' || b.m, false, 'POSTED', 'TO_BE_BILLED',
  b.at::date, b.at, b.at + b.seconds * interval '1 second', b.seconds,
  (ARRAY['4420', '3314', '4930', '3906', '3491'])[1 + b.m %% 5] || lpad((b.m * 13 %% 1000)::text, 3, '0')
    || lpad((b.m %% 10000)::text, 4, '0'), '', 'POSTRATED'
FROM bench_call b
JOIN product p ON p.code = 'VOICE-' || 1 + b.k
CROSS JOIN usage_type t
CROSS JOIN source_system s;
INSERT INTO usage_charge (customer_id, record_id, line_id, quantity, amount)
SELECT customer_id, id, line_id, seconds, round(amount, 18) FROM bench_call ORDER BY line_id, id;
INSERT INTO invoice_line (id, invoice_id, line_number, kind, product_id, product_code, product_name, product_group,
  product_line, region, usage_type, unit, description, quantity, unit_price, unit_size, exact_amount, amount, tax_rate_id,
  charge_count)
SELECT l.id, l.invoice_id, 1 + l.k, 'USAGE', p.id, p.code, p.name, p.product_group, p.product_line, '', 'Call', 'second', '',
  b.seconds, 0.01, 60, b.exact, round(b.exact, 2), t.id, b.charges
FROM bench_line l
JOIN (SELECT line_id, sum(seconds) AS seconds, sum(round(amount, 18)) AS exact, count(*) AS charges FROM bench_call GROUP BY 1) b
  ON b.line_id = l.id
JOIN product p ON p.code = 'VOICE-' || 1 + l.k
CROSS JOIN tax_rate t;
INSERT INTO invoice (id, customer_id, currency_id, kind, state, period_start, period_end, invoice_date, due_date,
  customer_name, customer_address, customer_vat_number, message, net_amount, tax_amount, total_amount, content_sha256,
  posted_at, series_id, sequence_number, number)
SELECT i.id, c.id, c.currency_id, 'INVOICE', 'POSTED', '2026-08-01', '2026-09-01', '2026-09-01', '2026-10-01', c.name,
  c.address, c.vat_number, '', l.net, 0, l.net, '', '2026-09-01', s.id, 500000000 + i.n, 'R' || lpad(i.n::text, 9, '0')
FROM bench_invoice i
JOIN customer c ON c.id = i.customer_id
JOIN (SELECT invoice_id, sum(amount) AS net FROM invoice_line GROUP BY 1) l ON l.invoice_id = i.id
JOIN number_series s ON s.kind = 'INVOICE' AND s.legal_entity_id IS NULL;
SET session_replication_role = origin
