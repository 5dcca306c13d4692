-- The benchmark's company: customers in three time zones, their services, eight products priced per minute.
INSERT INTO tax_rate (name, percent) VALUES ('VAT 19 %%', 19);
INSERT INTO customer (account_number, name, status, currency_id, timezone, language, tax_rate_id, vat_number, emails,
  address, payment_terms_days)
SELECT 'A' || lpad(n::text, 7, '0'), 'Customer ' || n, 'ACTIVE', 'EUR',
  (ARRAY['UTC', 'Europe/Berlin', 'America/New_York'])[1 + n %% 3], 'en', t.id, '', '{}', '', 30
FROM generate_series(0, %(customers)s - 1) n, tax_rate t;
INSERT INTO subscription (customer_id, number, life_cycle_state, start_date)
SELECT id, 'S' || account_number, 'ACTIVE', '2020-01-01' FROM customer;
INSERT INTO subscription_service (subscription_id, customer_id, identifier, life_cycle_state, start_date)
SELECT s.id, s.customer_id, '44' || lpad(n::text, 9, '0'), 'ACTIVE', '2020-01-01'
FROM generate_series(0, %(services)s - 1) n
JOIN customer c ON c.account_number = 'A' || lpad((n %% %(customers)s)::text, 7, '0')
JOIN subscription s ON s.customer_id = c.id;
INSERT INTO product (code, name, kind, product_group, product_line, description)
SELECT 'VOICE-' || n, 'Voice ' || n, 'USAGE', 'Calls', 'Voice', '' FROM generate_series(0, 7) n;
INSERT INTO rate_card (name, currency_id, is_default, description) VALUES ('Standard', 'EUR', true, '');
INSERT INTO rate (rate_card_id, product_id, region, destination_prefix, pricing_model, unit_price, unit_size,
  rounding_mode, start_date)
SELECT c.id, p.id, r.region, '', 'perUnit', 0.01 * p.id, 60, 'halfUp', '2020-01-01'
FROM rate_card c, product p, (VALUES (''), ('DE')) r (region);
INSERT INTO usage_type (name, alternative_code, description, unit) VALUES ('Call', '', '', 'second');
INSERT INTO source_system (name, alternative_code, description, default_usage_type_id, timezone, column_mapping,
  null_text, delimiter, decimal_sign, date_format, drop_folder, has_consecutive_numbers)
SELECT 'Switch', '', '', id, 'UTC', '{}', '', ',', '.', '', '', false FROM usage_type;
