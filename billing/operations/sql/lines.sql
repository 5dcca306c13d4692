-- The lines of the accounts' documents. Amounts are allocated by largest remainder within each tax rate: they add up to the
-- exact sum of its charges and credits, rounded once, half away from zero.
CREATE TEMPORARY TABLE produced_line ON COMMIT DROP AS
WITH numbered AS (
  SELECT
    line.*, a.minor_units, ('1e' || a.minor_units)::numeric AS per_unit, ('1e-' || a.minor_units)::numeric AS unit_value,
    coalesce(p.code, '') AS product_code, coalesce(p.name, '') AS product_name,
    coalesce(p.product_group, '') AS product_group, coalesce(p.product_line, '') AS product_line,
    coalesce(ut.name, '') AS usage_type, coalesce(ut.unit, '') AS unit,
    row_number() OVER (
      PARTITION BY line.account_id
      ORDER BY line.place, line.turn, p.code COLLATE "C", line.region COLLATE "C", ut.name COLLATE "C",
        line.unit_price, line.late_period, line.rate_id, line.transaction_id
    ) AS line_number,
    floor(line.exact_amount * ('1e' || a.minor_units)::numeric) AS whole_units
  FROM charged_line line
  JOIN account a ON a.id = line.account_id
  LEFT JOIN product p ON p.id = line.product_id
  LEFT JOIN usage_type ut ON ut.id = line.usage_type_id
), ranked AS (
  SELECT
    numbered.*,
    round(sum(exact_amount) OVER tax, minor_units) * per_unit - sum(whole_units) OVER tax AS units_left,
    row_number() OVER (
      PARTITION BY account_id, tax_rate_id
      ORDER BY exact_amount * per_unit - whole_units DESC, line_number
    ) AS remainder_turn
  FROM numbered
  WINDOW tax AS (PARTITION BY account_id, tax_rate_id)
)
SELECT
  nextval(pg_get_serial_sequence('invoice_line', 'id')) AS id, line_key, account_id, line_number, kind, transaction_id,
  updated_at, product_id, product_code, product_name, product_group, product_line, region, usage_type_id, usage_type,
  unit, description, late_period, quantity, rate_id, unit_price, unit_size, exact_amount, tax_rate_id, charge_count,
  coupon_code, credit_id, (whole_units + CASE WHEN remainder_turn <= units_left THEN 1 ELSE 0 END) * unit_value AS amount
FROM ranked
