-- What dashboards picture beside the run of the benchmark: %(invoices)s posted invoices of the months before it with five
-- lines each, the runs that made them, a group of every tenth customer, and %(records)s records that wait. Rows are put in
-- without asking the triggers.
SET session_replication_role = replica;
INSERT INTO customer_group (name) VALUES ('Tenth');
INSERT INTO customer_group_member (customer_id, customergroup_id)
SELECT c.id, g.id FROM customer c, customer_group g WHERE c.id %% 10 = 0;
CREATE TEMPORARY TABLE bench_customer AS SELECT id, row_number() OVER (ORDER BY id) - 1 AS turn FROM customer;
CREATE TEMPORARY TABLE bench_invoice AS
SELECT nextval('invoice_id_seq') AS id, n, c.id AS customer_id,
  (date '2026-09-02' - make_interval(months => (n / (SELECT count(*) FROM customer))::integer))::date AS day
FROM generate_series(0, %(invoices)s - 1) n
JOIN bench_customer c ON c.turn = n %% (SELECT count(*) FROM customer);
INSERT INTO invoice_line (invoice_id, line_number, kind, product_id, product_code, product_name, product_group,
  product_line, region, usage_type, unit, description, quantity, unit_price, unit_size, exact_amount, amount, tax_rate_id,
  charge_count)
SELECT i.id, k, 'USAGE', p.id, p.code, p.name, p.product_group, p.product_line,
  (ARRAY['DE', 'FR', 'GB', 'US'])[1 + (i.n + k) %% 4], 'Call', 'second', '', 60000, 0.01, 60, 10, 10, t.id, 1000
FROM bench_invoice i
CROSS JOIN generate_series(1, 5) k
JOIN product p ON p.code = 'VOICE-' || k
CROSS JOIN tax_rate t;
INSERT INTO invoice (id, customer_id, currency_id, kind, state, period_start, period_end, invoice_date, due_date,
  customer_name, customer_address, customer_vat_number, message, net_amount, tax_amount, total_amount, content_sha256,
  posted_at, series_id, sequence_number, number)
SELECT i.id, c.id, c.currency_id, 'INVOICE', 'POSTED', i.day - 31, i.day, i.day, i.day + 30, c.name, c.address,
  c.vat_number, '', 50, 9.5, 59.5, '', i.day, s.id, 500000000 + i.n, 'D' || lpad(i.n::text, 9, '0')
FROM bench_invoice i
JOIN customer c ON c.id = i.customer_id
JOIN number_series s ON s.kind = 'INVOICE' AND s.legal_entity_id IS NULL;
INSERT INTO billing_run (id, name, status, subrun, invoice_date, cutoff_date, bill_unpriced, confirmed_warnings, snapshot,
  proof_root, commenced_at, completed_at)
SELECT nextval('billing_run_id_seq'), 'Month of ' || day, 'completed', '', day, day, false, '{}', '1:1:', '', day,
  day + interval '10 minutes'
FROM (SELECT DISTINCT day FROM bench_invoice) m;
INSERT INTO run_chunk (run_id, number, account_count, record_count)
SELECT id, 1, 0, 0 FROM billing_run WHERE name LIKE 'Month of %%';
INSERT INTO run_account (run_id, chunk_id, customer_id, outcome, reason, invoice_id, record_count, exact_amount,
  currency_id, minor_units, timezone, minimum_amount, rate_card_ids, period_start, message)
SELECT k.run_id, k.id, i.customer_id, 'invoiced', '', i.id, 5000, 50, c.currency_id, 2, c.timezone, 0, '{}', i.day - 31, ''
FROM bench_invoice i
JOIN customer c ON c.id = i.customer_id
JOIN billing_run r ON r.name = 'Month of ' || i.day
JOIN run_chunk k ON k.run_id = r.id;
INSERT INTO pending_usage (record_id, customer_id, billing_effective_date, posted_in)
SELECT 1000000000000 + n, c.id, date '2026-10-31' - (n %% 60)::integer, pg_current_xact_id()
FROM generate_series(1::bigint, %(records)s) n
JOIN bench_customer c ON c.turn = n * 7919 %% (SELECT count(*) FROM customer);
SET session_replication_role = origin
