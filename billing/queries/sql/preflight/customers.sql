-- The customers that a run would take if it were commenced now (as operations/sql/commence.sql takes them), with how much
-- usage each has that waits, from which day on, the recurring charges that commencing will make transactions of, and the
-- rate cards that price it. `kind` is what customers have in common that are priced alike: rate cards and time zone.
CREATE TEMPORARY TABLE preflight_customer ON COMMIT DROP AS
WITH {due}, recurring AS MATERIALIZED (
  SELECT customer_id, bool_or(tax_rate_id IS NULL) AS is_taxed_by_customer FROM due GROUP BY customer_id
), pending AS MATERIALIZED (
  SELECT customer_id, count(*) AS record_count, min(billing_effective_date) AS first_day
  FROM pending_usage
  WHERE billing_effective_date < %(cutoff_date)s
  GROUP BY customer_id
), taken AS MATERIALIZED (
  SELECT
    c.id AS customer_id, c.account_number, c.status, c.currency_id, c.timezone, c.tax_rate_id,
    coalesce(p.record_count, 0) AS record_count, p.first_day, u.day AS late_before,
    coalesce(d.is_taxed_by_customer, false) AS has_recurring_to_tax
  FROM customer c
  LEFT JOIN customer_billing b ON b.customer_id = c.id
  LEFT JOIN billing_cycle y ON y.id = b.billing_cycle_id
  LEFT JOIN customer_billed_until u ON u.customer_id = c.id
  LEFT JOIN pending p ON p.customer_id = c.id
  LEFT JOIN recurring d ON d.customer_id = c.id
  WHERE coalesce(y.subrun, '') = %(subrun)s
    AND (c.status <> 'CLOSED' OR p.record_count > 0 OR d.customer_id IS NOT NULL OR EXISTS (
      SELECT FROM transaction x WHERE x.customer_id = c.id AND x.invoice_line_id IS NULL
    ))
    AND (coalesce(y.months, 1) = 1 OR u.day IS NULL OR u.day + make_interval(months => y.months) <= %(cutoff_date)s)
), card AS (
  SELECT customer_id, array_agg(DISTINCT rate_card_id ORDER BY rate_card_id) AS rate_card_ids
  FROM (
    SELECT customer_id, rate_card_id FROM customer_rate_card
    UNION ALL
    SELECT gm.customer_id, g.rate_card_id
    FROM customer_group_rate_card g JOIN customer_group_member gm ON gm.customergroup_id = g.group_id
    UNION ALL
    SELECT t.customer_id, d.id FROM taken t JOIN rate_card d ON d.is_default AND d.currency_id = t.currency_id
  ) cards
  JOIN taken USING (customer_id)
  JOIN rate_card rc ON rc.id = cards.rate_card_id AND rc.currency_id = taken.currency_id
  GROUP BY customer_id
)
SELECT t.*, coalesce(card.rate_card_ids, '{}') AS rate_card_ids,
  dense_rank() OVER (ORDER BY card.rate_card_ids, t.timezone)::integer AS kind
FROM taken t
LEFT JOIN card USING (customer_id);
ANALYZE preflight_customer
