-- How much of the run there is for each check of its customers: how many, the first of them by account number, and their
-- usage. What is unpriced is in preflight_unpriced.
WITH unpriced AS (
  SELECT customer_id, count(*) AS record_count FROM preflight_unpriced GROUP BY customer_id
)
SELECT f.code, count(*), (array_agg(c.customer_id ORDER BY c.account_number COLLATE "C"))[:%(named)s],
  (array_agg(c.account_number ORDER BY c.account_number COLLATE "C"))[:%(named)s], sum(f.record_count)::bigint,
  array_agg(DISTINCT c.currency_id)
FROM preflight_customer c
LEFT JOIN unpriced u USING (customer_id)
CROSS JOIN LATERAL (
  VALUES
    ('unpriced_usage', u.record_count > 0, u.record_count),
    ('no_price_list', u.record_count > 0 AND c.rate_card_ids = '{}', u.record_count),
    ('no_tax_rate', c.tax_rate_id IS NULL AND (c.record_count > 0 OR c.has_recurring_to_tax OR EXISTS (
      SELECT
      FROM transaction x
      WHERE x.customer_id = c.customer_id AND x.invoice_line_id IS NULL AND x.tax_rate_id IS NULL
        AND CASE
          WHEN x.kind IN ('REVERSAL', 'CORRECTION') THEN true
          WHEN %(transaction_cutoff_date)s::date IS NOT NULL
            THEN x.transaction_date <= %(transaction_cutoff_date)s::date
          ELSE coalesce(x.bill_date, x.transaction_date) < %(cutoff_date)s
        END
    )), c.record_count),
    ('closed_customers', c.status = 'CLOSED' AND c.record_count > 0, c.record_count),
    ('late_usage', c.first_day < c.late_before, CASE WHEN c.first_day < c.late_before THEN (
      SELECT count(*) FROM pending_usage p
      WHERE p.customer_id = c.customer_id AND p.billing_effective_date < least(c.late_before, %(cutoff_date)s)
    ) END),
    ('on_the_run', true, c.record_count),
    ('with_usage', c.record_count > 0, c.record_count)
) AS f (code, is_found, record_count)
WHERE f.is_found
GROUP BY f.code
