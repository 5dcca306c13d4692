-- What the accounts' documents charge, exactly: usage by product, region, usage type, rate and late period, and a line for
-- each transaction that is due. Tax rates are those of the tax point. Where the customer's own is not a taxed one (reverse
-- charge, exemption), all its lines have that one. Usage taken back, and usage whose price was corrected, keeps the tax
-- rate of the invoice that it was on.
CREATE TEMPORARY TABLE charged_line ON COMMIT DROP AS
WITH usage AS (
  SELECT
    line_key, account_id, product_id, region, usage_type_id, rate_id, late_period,
    sum(billed_quantity) AS quantity, sum(amount) AS exact_amount, count(*) AS charge_count
  FROM rated
  WHERE amount IS NOT NULL
  GROUP BY line_key, account_id, product_id, region, usage_type_id, rate_id, late_period
)
-- Places on the document: usage 1, transactions 2, coupons and credits 3, minimum and fee 4.
SELECT
  1 AS place, u.line_key, u.account_id, 'USAGE' AS kind, NULL::bigint AS transaction_id, NULL::timestamptz AS updated_at,
  u.product_id, u.region, u.usage_type_id, u.rate_id, u.late_period, u.quantity, t.unit_price,
  coalesce(t.unit_size, 1) AS unit_size, u.exact_amount, u.charge_count, own.tax_rate_id, '' AS description,
  '' AS coupon_code, NULL::bigint AS credit_id, NULL::bigint AS turn
FROM usage u
JOIN account a ON a.id = u.account_id
LEFT JOIN tax_rate_at own ON own.asked_id = a.tax_rate_id
LEFT JOIN rate t ON t.id = u.rate_id
UNION ALL
SELECT
  2, NULL, a.id, x.kind, x.id, x.updated_at, x.product_id, '', NULL, NULL, NULL, x.quantity, x.unit_price, 1, x.amount, 0,
  CASE
    WHEN x.kind IN ('REVERSAL', 'CORRECTION') AND x.tax_rate_id IS NOT NULL THEN x.tax_rate_id
    WHEN own.treatment <> 'standard' THEN own.tax_rate_id
    ELSE coalesce(given.tax_rate_id, x.tax_rate_id, own.tax_rate_id)
  END, x.description, '', NULL, NULL
FROM account a
JOIN transaction x ON x.customer_id = a.customer_id AND x.invoice_line_id IS NULL
  AND tollbook_seen(x.created_in, %(snapshot)s::pg_snapshot)
  -- Usage taken back, and usage whose price was corrected, waits for the next invoice, whenever that is.
  AND CASE
    -- An invoice by hand is of chosen ones.
    WHEN %(transaction_ids)s::bigint[] IS NOT NULL THEN x.id = ANY (%(transaction_ids)s)
    WHEN x.kind IN ('REVERSAL', 'CORRECTION') THEN true
    WHEN %(transaction_cutoff_date)s::date IS NOT NULL THEN x.transaction_date <= %(transaction_cutoff_date)s::date
    ELSE coalesce(x.bill_date, x.transaction_date) < %(cutoff_date)s
  END
LEFT JOIN tax_rate_at own ON own.asked_id = a.tax_rate_id
LEFT JOIN tax_rate_at given ON given.asked_id = x.tax_rate_id
