-- The lines of the accounts' documents: usage by product, region, usage type, rate and late period, and a line for
-- each transaction that is due. Amounts are allocated by largest remainder within each tax rate: they add up to the
-- exact sum of its charges, rounded once, half away from zero.
CREATE TEMPORARY TABLE produced_line ON COMMIT DROP AS
WITH usage AS (
  SELECT
    line_key, account_id, product_id, region, usage_type_id, rate_id, late_period,
    sum(billed_quantity) AS quantity, sum(amount) AS exact_amount, count(*) AS charge_count
  FROM rated
  WHERE amount IS NOT NULL
  GROUP BY line_key, account_id, product_id, region, usage_type_id, rate_id, late_period
), line AS (
  SELECT
    u.line_key, u.account_id, 'USAGE' AS kind, NULL::bigint AS transaction_id, NULL::timestamptz AS updated_at, u.product_id,
    u.region, u.usage_type_id, u.rate_id, u.late_period, u.quantity, t.unit_price,
    coalesce(t.unit_size, 1) AS unit_size, u.exact_amount, u.charge_count, a.tax_rate_id, '' AS description
  FROM usage u
  JOIN account a ON a.id = u.account_id
  LEFT JOIN rate t ON t.id = u.rate_id
  UNION ALL
  SELECT
    NULL, a.id, x.kind, x.id, x.updated_at, x.product_id, '', NULL, NULL, NULL, x.quantity, x.unit_price, 1, x.amount, 0,
    coalesce(x.tax_rate_id, a.tax_rate_id), x.description
  FROM account a
  JOIN transaction x ON x.customer_id = a.customer_id AND x.invoice_line_id IS NULL
    AND tollbook_seen(x.created_in, %(snapshot)s::pg_snapshot)
    -- Usage taken back, and usage whose price was corrected, waits for the next invoice, whenever that is.
    AND CASE
      WHEN x.kind IN ('REVERSAL', 'CORRECTION') THEN true
      WHEN %(transaction_cutoff_date)s::date IS NOT NULL THEN x.transaction_date <= %(transaction_cutoff_date)s::date
      ELSE coalesce(x.bill_date, x.transaction_date) < %(cutoff_date)s
    END
), numbered AS (
  SELECT
    line.*, a.minor_units, ('1e' || a.minor_units)::numeric AS per_unit, ('1e-' || a.minor_units)::numeric AS unit_value,
    coalesce(p.code, '') AS product_code, coalesce(p.name, '') AS product_name,
    coalesce(p.product_group, '') AS product_group, coalesce(p.product_line, '') AS product_line,
    coalesce(ut.name, '') AS usage_type, coalesce(ut.unit, '') AS unit,
    row_number() OVER (
      PARTITION BY line.account_id
      ORDER BY line.kind = 'USAGE' DESC, p.code COLLATE "C", line.region COLLATE "C", ut.name COLLATE "C",
        line.unit_price, line.late_period, line.rate_id, line.transaction_id
    ) AS line_number,
    floor(line.exact_amount * ('1e' || a.minor_units)::numeric) AS whole_units
  FROM line
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
    ) AS turn
  FROM numbered
  WINDOW tax AS (PARTITION BY account_id, tax_rate_id)
)
SELECT
  nextval(pg_get_serial_sequence('invoice_line', 'id')) AS id, line_key, account_id, line_number, kind, transaction_id,
  updated_at, product_id, product_code, product_name, product_group, product_line, region, usage_type_id, usage_type,
  unit, description, late_period, quantity, rate_id, unit_price, unit_size, exact_amount, tax_rate_id, charge_count,
  (whole_units + CASE WHEN turn <= units_left THEN 1 ELSE 0 END) * unit_value AS amount
FROM ranked
