-- What coupons and account credits take off: lines of their own, one for each credit and tax rate. They count where the net
-- amount is positive, and never make it negative.
CREATE TEMPORARY TABLE net_before ON COMMIT DROP AS
SELECT
  n.*, row_number() OVER (PARTITION BY n.account_id ORDER BY n.name COLLATE "C", n.tax_rate_id) AS rate_turn,
  sum(n.net) OVER (PARTITION BY n.account_id) AS document_net
FROM (
  SELECT l.account_id, l.tax_rate_id, t.name, a.minor_units, sum(l.exact_amount) AS exact,
    round(sum(l.exact_amount), a.minor_units) AS net
  FROM charged_line l
  JOIN account a ON a.id = l.account_id
  LEFT JOIN tax_rate t ON t.id = l.tax_rate_id
  WHERE a.customer_id IN (SELECT customer_id FROM account_credit)
  GROUP BY l.account_id, l.tax_rate_id, t.name, a.minor_units
) n;
CREATE TEMPORARY TABLE credit ON COMMIT DROP AS
SELECT
  a.id AS account_id, c.id AS credit_id, c.code, c.description, c.percent, ('1e' || a.minor_units)::numeric AS per_unit,
  row_number() OVER (PARTITION BY a.id ORDER BY c.percent IS NULL, c.position, c.id) AS credit_turn,
  -- Percents together are at most 100: how much of this one is left.
  CASE WHEN c.percent IS NOT NULL THEN least(c.percent, greatest(0, 100 - coalesce(sum(c.percent) OVER (
    PARTITION BY a.id ORDER BY c.percent IS NULL, c.position, c.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  ), 0))) END AS counted_percent,
  CASE WHEN c.percent IS NULL THEN floor(tollbook_credit_left(c.id) * ('1e' || a.minor_units)::numeric) END AS units_left
FROM account a
JOIN account_credit c ON c.customer_id = a.customer_id AND tollbook_seen(c.created_in, %(snapshot)s::pg_snapshot)
  AND c.start_date < %(cutoff_date)s AND (c.end_date IS NULL OR c.end_date >= %(cutoff_date)s)
  AND (c.currency_id IS NULL OR c.currency_id = a.currency_id)
WHERE a.id IN (SELECT account_id FROM net_before WHERE document_net > 0);
-- Percents: each of what is charged at each tax rate, before any credit.
CREATE TEMPORARY TABLE credit_line ON COMMIT DROP AS
SELECT n.account_id, n.tax_rate_id, n.rate_turn, c.credit_id, c.credit_turn,
  -round(n.exact * c.counted_percent * 0.01, 18) AS exact_amount
FROM net_before n
JOIN credit c ON c.account_id = n.account_id
WHERE c.counted_percent > 0 AND n.exact <> 0;
-- Several tax rates, each rounded by itself, can come to less than nothing where their exact sums do not: then no percent
-- counts.
DELETE FROM credit_line WHERE account_id IN (
  SELECT account_id
  FROM (
    SELECT n.account_id, round(n.exact + sum(l.exact_amount), n.minor_units) AS net
    FROM net_before n
    JOIN credit_line l ON l.account_id = n.account_id AND l.tax_rate_id IS NOT DISTINCT FROM n.tax_rate_id
    GROUP BY n.account_id, n.tax_rate_id, n.exact, n.minor_units
  ) r
  GROUP BY account_id HAVING sum(net) < 0
);
-- Amounts: as many minor units as there are, and as the rest of the net amount allows. They go to the tax rates in the
-- proportion of what is left of each, by largest remainder; rates and credits, one after the other, cover the same units.
INSERT INTO credit_line
WITH rate AS (
  SELECT n.account_id, n.tax_rate_id, n.rate_turn, c.per_unit, n.exact + p.exact AS exact,
    round(n.exact + p.exact, n.minor_units) * c.per_unit AS units
  FROM net_before n
  JOIN (SELECT DISTINCT account_id, per_unit FROM credit WHERE units_left > 0) c ON c.account_id = n.account_id
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(l.exact_amount), 0) AS exact FROM credit_line l
    WHERE l.account_id = n.account_id AND l.tax_rate_id IS NOT DISTINCT FROM n.tax_rate_id
  ) p
), used AS (
  SELECT r.account_id, r.taxed, least(r.total, c.units) AS units
  FROM (
    SELECT account_id, sum(units) AS total, sum(greatest(units, 0)) AS taxed FROM rate GROUP BY account_id
  ) r
  JOIN (SELECT account_id, sum(units_left) AS units FROM credit WHERE units_left > 0 GROUP BY account_id) c
    ON c.account_id = r.account_id
  WHERE r.total > 0
), floored AS (
  SELECT r.*, u.units AS used, div(u.units * r.units, u.taxed) AS whole, mod(u.units * r.units, u.taxed) AS remainder
  FROM rate r
  JOIN used u ON u.account_id = r.account_id
  WHERE r.units > 0
), ranked AS (
  SELECT *, used - sum(whole) OVER (PARTITION BY account_id) AS units_over,
    row_number() OVER (PARTITION BY account_id ORDER BY remainder DESC, rate_turn) AS turn
  FROM floored
), share AS (
  SELECT account_id, tax_rate_id, rate_turn, per_unit, exact, units, whole + CASE WHEN turn <= units_over THEN 1 ELSE 0 END AS share,
    used
  FROM ranked
), rate_span AS (
  SELECT *, sum(share) OVER (PARTITION BY account_id ORDER BY rate_turn) AS until FROM share
), credit_span AS (
  SELECT account_id, credit_id, credit_turn, units_left,
    sum(units_left) OVER (PARTITION BY account_id ORDER BY credit_turn) AS until
  FROM credit WHERE units_left > 0
), covered AS (
  SELECT r.*, c.credit_id, c.credit_turn,
    least(r.until, c.until) - greatest(r.until - r.share, c.until - c.units_left) AS covered,
    row_number() OVER (PARTITION BY r.account_id, r.rate_turn ORDER BY c.credit_turn DESC) AS from_last
  FROM rate_span r
  JOIN credit_span c ON c.account_id = r.account_id
    AND least(r.until, c.until) > greatest(r.until - r.share, c.until - c.units_left)
)
SELECT account_id, tax_rate_id, rate_turn, credit_id, credit_turn,
  -- A rate whose exact sum ends in half a unit, and that is used up, comes to nothing only without that half: rounded away
  -- from zero, what is left would be less than nothing.
  (-covered + CASE WHEN from_last = 1 THEN (units - share - round(exact * per_unit - share)) * 0.5 ELSE 0 END) / per_unit
FROM covered;
INSERT INTO charged_line
SELECT 3, NULL, l.account_id, 'CREDIT', NULL, NULL, NULL, '', NULL, NULL, NULL, 1, l.exact_amount, 1, l.exact_amount, 0,
  l.tax_rate_id, c.description, c.code, l.credit_id,
  row_number() OVER (PARTITION BY l.account_id ORDER BY l.credit_turn, l.rate_turn)
FROM credit_line l
JOIN credit c ON c.account_id = l.account_id AND c.credit_id = l.credit_id;
DROP TABLE net_before, credit, credit_line
