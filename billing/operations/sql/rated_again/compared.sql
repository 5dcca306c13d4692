-- What each use of the days asked about was charged and what it comes to, rated again; no amount where nothing prices it.
-- `has_other_rates`: some of what it may count together with has another rate than it was charged by.
CREATE TEMPORARY TABLE compared ON COMMIT DROP AS
SELECT
  t.customer_id, t.record_id, c.charge_id, c.turn, l.invoice_id, l.number, l.currency_id, t.product_id, l.tax_rate_id,
  t.used_on, c.rate_id AS rate_before, c.amount AS amount_before, r.rate_id, r.amount, r.billed_quantity,
  c.counted_before, r.counted_month, r.counted_id, t.used_on >= %(from_day)s AND t.used_on < %(until_day)s AS is_asked,
  bool_or(r.rate_id IS DISTINCT FROM c.rate_id) OVER (
    PARTITION BY t.customer_id, t.product_id, date_trunc('month', t.used_on)
  ) AS has_other_rates
FROM taken t
JOIN charged c USING (record_id)
JOIN charged_line l USING (line_id)
JOIN rated r ON r.record_id = t.record_id
