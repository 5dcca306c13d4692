-- The common table expression `due`: the periods of recurring charges that fall due before `due_before`, of the customers
-- that a run takes (as in operations/sql/commence.sql), of one of them, or only those that decide something. Commencing
-- makes transactions of them, and what is asked beforehand looks at them. Where a charge goes on is where its last
-- transaction ends, one look into an index: what was charged before that is not read.
charge AS (
  SELECT
    r.*, last.period_end IS NOT NULL AS was_charged, coalesce(last.period_end, r.start_date) AS charged_until,
    CASE r.alignment WHEN 'calendarMonth' THEN date_trunc('month', r.start_date)::date ELSE r.start_date END AS anchor,
    CASE
      WHEN least(r.end_date, s.end_date, v.end_date) IS NOT NULL
        THEN greatest(least(r.end_date, s.end_date, v.end_date), minimum.day)
      -- Ended without a date: nothing is charged any more but what is left of the minimum term.
      WHEN c.status = 'CLOSED' OR 'ENDED' IN (s.life_cycle_state, v.life_cycle_state) THEN minimum.day
    END AS ends_on
  FROM recurring_charge r
  JOIN customer c ON c.id = r.customer_id
  JOIN subscription s ON s.id = r.subscription_id
  LEFT JOIN subscription_service v ON v.id = r.service_id
  LEFT JOIN customer_billing b ON b.customer_id = r.customer_id
  LEFT JOIN billing_cycle y ON y.id = b.billing_cycle_id
  LEFT JOIN customer_billed_until u ON u.customer_id = r.customer_id
  CROSS JOIN LATERAL (SELECT (r.start_date + make_interval(months => r.minimum_months))::date AS day) minimum
  LEFT JOIN LATERAL (
    SELECT x.period_end FROM transaction x WHERE x.recurring_charge_id = r.id ORDER BY x.period_start DESC LIMIT 1
  ) last ON true
  WHERE coalesce(y.subrun, '') = %(subrun)s
    AND (coalesce(y.months, 1) = 1 OR u.day IS NULL OR u.day + make_interval(months => y.months) <= %(cutoff_date)s)
    AND r.start_date < %(due_before)s
    AND (%(customer_id)s::bigint IS NULL OR r.customer_id = %(customer_id)s)
    -- Closed customers are on a run for it; without a tax rate of its own or of the customer it is not billed.
    AND (NOT %(only_where_it_decides)s OR c.status = 'CLOSED' OR (c.tax_rate_id IS NULL AND r.tax_rate_id IS NULL))
    AND 'DRAFT' NOT IN (s.life_cycle_state, coalesce(v.life_cycle_state, ''))
), period AS (
  -- Counted from the anchor: a month after 31 January is 28 February, two months after it is 31 March.
  SELECT
    charge.*, whole.first_day, whole.until,
    greatest(whole.first_day, charge.charged_until) AS period_start, least(whole.until, charge.ends_on) AS period_end
  FROM charge
  CROSS JOIN LATERAL (
    SELECT
      12 * (extract(year FROM charged_until) - extract(year FROM anchor))::integer
        + (extract(month FROM charged_until) - extract(month FROM anchor))::integer AS charged,
      12 * (extract(year FROM %(due_before)s::date) - extract(year FROM anchor))::integer
        + (extract(month FROM %(due_before)s::date) - extract(month FROM anchor))::integer AS due
  ) months_to
  CROSS JOIN LATERAL generate_series(greatest(0, months_to.charged / months - 1), months_to.due / months) AS turn
  CROSS JOIN LATERAL (
    SELECT
      (anchor + make_interval(months => turn * months))::date AS first_day,
      (anchor + make_interval(months => (turn + 1) * months))::date AS until
  ) whole
), due AS MATERIALIZED (
  -- Looked for in full before the first is written: what is being written is not looked at.
  SELECT *
  FROM (
    SELECT
      period.*, period_end - period_start AS days, until - first_day AS days_of_whole,
      CASE timing WHEN 'advance' THEN period_start ELSE period_end - 1 END AS due_on
    FROM period
    WHERE period_start < period_end
      -- Begun, it was charged in full; so it was if it has come to end later since.
      AND (is_prorated OR NOT was_charged OR charged_until <= first_day)
  ) begun
  WHERE due_on < %(due_before)s
)
