-- Telephone prices: prefixes of two to seven digits, each at peak and off peak with a fee and increments; and a product for
-- each way of counting.
INSERT INTO time_band (name) VALUES ('Peak'), ('Off peak');
INSERT INTO time_band_hours (time_band_id, days, start_time, end_time)
SELECT b.id, h.days::smallint[], h.start_time::time, h.end_time::time
FROM time_band b
JOIN (VALUES ('Peak', '{1,2,3,4,5}', '08:00', '18:00'), ('Off peak', '{1,2,3,4,5}', '00:00', '08:00'),
  ('Off peak', '{1,2,3,4,5}', '18:00', NULL), ('Off peak', '{6,7,8}', '00:00', NULL)
) h (name, days, start_time, end_time) USING (name);
INSERT INTO product (code, name, kind, product_group, product_line, description)
VALUES ('CALL', 'Calls', 'USAGE', 'Calls', 'Voice', ''), ('PER-UNIT', 'Per unit', 'USAGE', '', '', ''),
  ('GRADUATED', 'Graduated', 'USAGE', '', '', ''), ('PACKAGE', 'Package', 'USAGE', '', '', '');
CREATE UNLOGGED TABLE bench_prefix AS
SELECT row_number() OVER (ORDER BY md5(prefix)) AS place, prefix, 0.01 + 0.01 * (hashtext(prefix) & 31) AS price
FROM (
  SELECT DISTINCT length(prefix) AS digits, prefix FROM (
    SELECT left((10 + n %% 90)::text || lpad((n * 7919 %% 100000)::text, 5, '0'), 2 + (n / 90 %% 6)::integer) AS prefix
    FROM generate_series(0::bigint, 6 * %(prefixes)s) n
  ) drawn
  ORDER BY digits, prefix
  LIMIT %(prefixes)s
) prefixes;
CREATE INDEX ON bench_prefix (prefix);
BEGIN;
INSERT INTO rate (rate_card_id, product_id, region, destination_prefix, time_band_id, pricing_model, unit_price, unit_size,
  connection_fee, first_increment, increment, rounding_mode, start_date)
SELECT c.id, p.id, '', x.prefix, b.id, 'perUnit', CASE b.name WHEN 'Peak' THEN x.price ELSE x.price / 2 END, 60, 0.05, 30, 6,
  'halfUp', '2020-01-01'
FROM bench_prefix x, rate_card c, product p, time_band b WHERE p.code = 'CALL';
INSERT INTO rate (rate_card_id, product_id, region, destination_prefix, pricing_model, unit_price, unit_size, rounding_mode,
  start_date)
SELECT c.id, p.id, '', '', m.model, 0.02, 60, 'halfUp', '2020-01-01'
FROM rate_card c, product p
JOIN (VALUES ('PER-UNIT', 'perUnit'), ('GRADUATED', 'graduated'), ('PACKAGE', 'package')) m (code, model) USING (code);
INSERT INTO rate_tier (rate_id, from_quantity, unit_price)
SELECT r.id, n * 10000, 0.02 - n * 0.003 FROM rate r, generate_series(1, 5) n WHERE r.pricing_model = 'graduated';
COMMIT;
CREATE UNLOGGED TABLE bench_call AS
SELECT n, s.id AS service_id, s.customer_id, g.product_id, g.day + (n %% 28)::integer AS day, (n * 7919 %% 86400)::integer AS second,
  (n * 31 %% 600)::integer AS quantity, x.prefix, x.prefix || lpad((n * 104729 %% 1000000)::text, 6, '0') AS destination
FROM (
  SELECT p.id AS product_id, v.first, v.last, v.day::date
  FROM (VALUES ('CALL', 1, %(small)s, '2026-07-01'), ('CALL', %(small)s + 1, %(small)s + %(records)s, '2026-09-01'),
    ('PER-UNIT', 1, %(counted)s, '2026-10-01'), ('GRADUATED', 1, %(counted)s, '2026-11-01'),
    ('PACKAGE', 1, %(counted)s, '2026-12-01')
  ) v (code, first, last, day)
  JOIN product p USING (code)
) g
CROSS JOIN LATERAL generate_series(g.first::bigint, g.last) n
JOIN bench_prefix x ON x.place = 1 + n * 15485863 %% %(prefixes)s
JOIN (SELECT row_number() OVER (ORDER BY id) AS place, * FROM subscription_service) s ON s.place = 1 + n %% %(services)s;
INSERT INTO usage_data_record (customer_id, subscription_service_id, product_id, usage_type_id, source_system_id, number,
  is_late, life_cycle_state, billing_directive, billing_effective_date, from_date, to_date, usage_amount, destination, region,
  rating_type)
SELECT b.customer_id, b.service_id, b.product_id, t.id, s.id, b.product_id || '-' || b.n, false, 'POSTED', 'TO_BE_BILLED', b.day,
  f.start, f.start + make_interval(secs => b.quantity), b.quantity, b.destination, '', 'POSTRATED'
FROM bench_call b
CROSS JOIN usage_type t
CROSS JOIN source_system s
CROSS JOIN LATERAL (SELECT b.day::timestamp AT TIME ZONE 'UTC' + make_interval(secs => b.second) AS start) f;
INSERT INTO pending_usage (record_id, customer_id, billing_effective_date)
SELECT id, customer_id, billing_effective_date FROM usage_data_record
