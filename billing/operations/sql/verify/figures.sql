-- What does not add up in one chunk of documents: charges to lines, lines to taxes, taxes to totals; and what documents
-- say otherwise than their run does. Lines, taxes and sums of charges by themselves: the planner knows how many there are.
CREATE TEMPORARY TABLE line ON COMMIT DROP AS
SELECT d.turn, d.account_id, a.minor_units, a.minimum_amount, a.low_usage_fee, l.*
FROM document d
JOIN run_account a ON a.id = d.account_id
CROSS JOIN LATERAL (SELECT * FROM invoice_line l WHERE l.invoice_id = d.invoice_id OFFSET 0) l
WHERE d.chunk = %(chunk)s;
CREATE TEMPORARY TABLE tax ON COMMIT DROP AS
SELECT d.turn, t.*
FROM document d
CROSS JOIN LATERAL (SELECT * FROM invoice_tax t WHERE t.invoice_id = d.invoice_id OFFSET 0) t
WHERE d.chunk = %(chunk)s;
CREATE TEMPORARY TABLE charge ON COMMIT DROP AS
SELECT account_id, line_number, count(*) AS charge_count, sum(amount) AS amount,
  sum(coalesce(billed_quantity, quantity)) AS quantity
FROM charged GROUP BY account_id, line_number;
ANALYZE line, tax, charge;
WITH taxed AS (
  SELECT turn, invoice_id, tax_rate_id, sum(amount) AS amount, round(sum(exact_amount), min(minor_units)) AS rounded,
    min(minor_units) AS minor_units, sum(exact_amount) FILTER (WHERE kind NOT IN ('CREDIT', 'MINIMUM', 'FEE')) AS charged
  FROM line GROUP BY turn, invoice_id, tax_rate_id
), summed AS (
  SELECT turn, sum(net_amount) AS net_amount, sum(tax_amount) AS tax_amount FROM tax GROUP BY turn
), credited AS (
  -- Percents are of what is charged at their tax rate, and together at most 100; amounts are what was noted as used.
  SELECT k.line_id, CASE
      WHEN k.percent IS NULL THEN CASE WHEN k.used = -k.amount THEN k.exact_amount ELSE -k.used END
      ELSE -round(x.charged * least(k.percent, 100 - before.percent) * 0.01, 18)
    END AS exact_amount
  FROM (
    SELECT l.turn, l.id AS line_id, l.tax_rate_id, l.amount, l.exact_amount, u.amount AS used, c.percent,
      min(l.line_number) OVER (PARTITION BY l.turn, u.credit_id) AS first_line
    FROM line l
    JOIN credit_use u ON u.line_id = l.id
    JOIN account_credit c ON c.id = u.credit_id AND c.code = l.coupon_code
  ) k
  JOIN taxed x ON x.turn = k.turn AND x.tax_rate_id = k.tax_rate_id
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(p.percent), 0) AS percent
    FROM (
      SELECT DISTINCT u.credit_id, c.percent FROM line l
      JOIN credit_use u ON u.line_id = l.id
      JOIN account_credit c ON c.id = u.credit_id
      WHERE l.turn = k.turn AND l.line_number < k.first_line
    ) p
  ) before
), expected AS (
  -- What lines come to that have no charges and no transaction.
  SELECT l.id AS line_id, k.exact_amount FROM line l LEFT JOIN credited k ON k.line_id = l.id WHERE l.kind = 'CREDIT'
  UNION ALL
  SELECT id, low_usage_fee FROM line WHERE kind = 'FEE'
  UNION ALL
  SELECT l.id, l.exact_amount - s.net_amount
    + ceil(l.minimum_amount * ('1e' || l.minor_units)::numeric) * ('1e-' || l.minor_units)::numeric
  FROM line l JOIN summed s ON s.turn = l.turn WHERE l.kind = 'MINIMUM'
), found AS (
  SELECT l.turn, 1 AS rank, l.line_number AS turn_in, concat('line ', l.line_number) AS place, v.*
  FROM line l
  JOIN rate r ON r.id = l.rate_id
  CROSS JOIN LATERAL (VALUES
    ('unit price, against its rate', l.unit_price, r.unit_price),
    ('unit size, against its rate', l.unit_size, r.unit_size)
  ) v (field, stored, recomputed)
  UNION ALL
  SELECT l.turn, 3, l.line_number, concat('line ', l.line_number), v.*
  FROM line l
  LEFT JOIN charge c ON c.account_id = l.account_id AND c.line_number = l.line_number
  LEFT JOIN transaction x ON x.invoice_line_id = l.id
  LEFT JOIN expected e ON e.line_id = l.id
  CROSS JOIN LATERAL (VALUES
    ('number of charges', l.charge_count, coalesce(c.charge_count, 0)),
    ('quantity', l.quantity, CASE WHEN l.kind = 'USAGE' THEN c.quantity WHEN e.line_id IS NOT NULL THEN 1 ELSE x.quantity END),
    ('exact amount', l.exact_amount, CASE
      WHEN l.kind = 'USAGE' THEN c.amount
      WHEN e.line_id IS NOT NULL THEN e.exact_amount
      ELSE round(x.quantity * x.unit_price, 18)
    END),
    ('unit price', l.unit_price, CASE
      WHEN l.kind = 'USAGE' THEN l.unit_price
      WHEN e.line_id IS NOT NULL THEN e.exact_amount
      ELSE x.unit_price
    END),
    ('amount, to a minor unit', l.amount,
      CASE WHEN abs(l.amount - l.exact_amount) < ('1e-' || l.minor_units)::numeric THEN l.amount ELSE l.exact_amount END)
  ) v (field, stored, recomputed)
  UNION ALL
  SELECT coalesce(t.turn, x.turn), 4, coalesce(t.tax_rate_id, x.tax_rate_id), concat('tax ', coalesce(t.name, p.name)), v.*
  FROM tax t
  FULL JOIN taxed x ON x.turn = t.turn AND x.tax_rate_id = t.tax_rate_id
  LEFT JOIN tax_rate p ON p.id = coalesce(t.tax_rate_id, x.tax_rate_id)
  CROSS JOIN LATERAL (VALUES
    ('percent', t.percent, p.percent),
    ('net amount, against its lines', t.net_amount, x.amount),
    ('net amount, against their exact amounts', t.net_amount, x.rounded),
    ('tax amount', t.tax_amount, round(t.net_amount * t.percent * 0.01, x.minor_units))
  ) v (field, stored, recomputed)
  UNION ALL
  SELECT d.turn, 5, 0, 'document', v.*
  FROM document d
  JOIN invoice i ON i.id = d.invoice_id
  LEFT JOIN summed s ON s.turn = d.turn
  CROSS JOIN LATERAL (VALUES
    -- An invoice of nothing has no taxes.
    ('net amount', i.net_amount, coalesce(s.net_amount, 0)),
    ('tax amount', i.tax_amount, coalesce(s.tax_amount, 0)),
    ('total amount', i.total_amount, i.net_amount + i.tax_amount)
  ) v (field, stored, recomputed)
  WHERE d.chunk = %(chunk)s
)
INSERT INTO difference
SELECT turn, rank, place, field, trim_scale(stored)::text, trim_scale(recomputed)::text
FROM found WHERE stored IS DISTINCT FROM recomputed
UNION ALL
SELECT d.turn, 6, 'document', v.*
FROM document d
JOIN run_account a ON a.id = d.account_id
JOIN billing_run b ON b.id = a.run_id
JOIN invoice i ON i.id = d.invoice_id
CROSS JOIN LATERAL (VALUES
  ('customer', i.customer_id::text, a.customer_id::text),
  ('currency', i.currency_id, a.currency_id),
  ('first day of its period', i.period_start::text, a.period_start::text),
  ('end of its period', i.period_end::text, b.cutoff_date::text),
  ('invoice date', i.invoice_date::text, b.invoice_date::text),
  -- A run without one left it to the customer's terms.
  ('due date', i.due_date::text, coalesce(b.due_date, i.due_date)::text),
  -- Documents from before it was noted have none.
  ('tax point', i.tax_point::text, CASE WHEN i.tax_point IS NOT NULL THEN (b.cutoff_date - 1)::text END),
  ('message', i.message, a.message)
) v (field, stored, recomputed)
WHERE d.chunk = %(chunk)s AND v.stored IS DISTINCT FROM v.recomputed
