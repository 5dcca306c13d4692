-- What fills documents up to the customer's minimum, or the fee for being below it: where the net amount, less credits, is
-- not negative and below the minimum, also where there is nothing to bill. At the customer's tax rate.
INSERT INTO charged_line
WITH net AS (
  SELECT a.id AS account_id, l.tax_rate_id, a.minor_units, sum(l.exact_amount) AS exact,
    round(sum(l.exact_amount), a.minor_units) AS net
  FROM account a
  JOIN charged_line l ON l.account_id = a.id
  WHERE a.minimum_rule <> 'skip'
  GROUP BY a.id, l.tax_rate_id, a.minor_units
), below AS (
  SELECT a.id, a.minimum_rule, a.minimum_amount, a.low_usage_fee, a.minor_units, a.currency_id, own.tax_rate_id,
    ceil(a.minimum_amount * ('1e' || a.minor_units)::numeric) * ('1e-' || a.minor_units)::numeric - d.net AS missing,
    coalesce(o.exact, 0) AS exact, coalesce(o.net, 0) AS net
  FROM account a
  CROSS JOIN LATERAL (SELECT coalesce(sum(n.net), 0) AS net FROM net n WHERE n.account_id = a.id) d
  LEFT JOIN tax_rate_at own ON own.asked_id = a.tax_rate_id
  LEFT JOIN net o ON o.account_id = a.id AND o.tax_rate_id = own.tax_rate_id
  WHERE a.minimum_rule <> 'skip' AND d.net >= 0 AND d.net < a.minimum_amount
), line AS (
  SELECT *, CASE minimum_rule
    WHEN 'fee' THEN low_usage_fee
    -- Where the rate's sum is less than nothing and ends in half a unit, it is rounded the other way once it is more.
    ELSE missing + (net + missing - round(exact + missing, minor_units)) * 0.5
  END AS amount
  FROM below
)
SELECT 4, NULL, id, CASE minimum_rule WHEN 'pad' THEN 'MINIMUM' ELSE 'FEE' END, NULL, NULL, NULL, '', NULL, NULL, NULL, 1,
  amount, 1, amount, 0, tax_rate_id,
  CASE minimum_rule WHEN 'pad' THEN 'Filled up to the minimum of ' ELSE 'Low-usage fee below ' END
    || CASE WHEN minimum_amount = round(minimum_amount, minor_units) THEN round(minimum_amount, minor_units) ELSE trim_scale(minimum_amount) END
    || ' ' || currency_id, '', NULL, NULL
FROM line
