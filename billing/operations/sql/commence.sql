-- The run's chunks and accounts, one account per customer, with the terms that it is billed by. A customer is in the
-- run if its cycle's subrun is the run's (no cycle: no subrun) and it is not closed, or closed with something still to bill.
-- Customers on cycles of several months are taken once those months have passed since their last invoice.
-- What is gathered from large tables is gathered once (MATERIALIZED), however few customers the planner expects. With
-- `customer_id` it is that customer alone, in the run or not.
WITH pending AS MATERIALIZED (
  SELECT customer_id, count(*) AS record_count
  FROM pending_usage
  WHERE billing_effective_date < %(cutoff_date)s
    AND tollbook_seen(posted_in, %(snapshot)s::pg_snapshot)
    AND %(customer_id)s::bigint IS NULL
  GROUP BY customer_id
), invoiced AS MATERIALIZED (
  SELECT customer_id, max(period_end) AS until FROM invoice
  WHERE NOT is_manual AND (%(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s)
  GROUP BY customer_id
), taken AS (
  SELECT
    c.id AS customer_id, c.account_number, c.currency_id, cu.minor_units, c.timezone, c.tax_rate_id,
    coalesce(c.minimum_invoice_amount, ('1e-' || cu.minor_units)::numeric) AS minimum_amount,
    -- A minimum, a fee and an invoice of nothing are for active customers, once for each period.
    CASE WHEN is_due.once THEN c.minimum_rule ELSE 'skip' END AS minimum_rule, c.low_usage_fee,
    is_due.once AND c.wants_zero_invoices AS wants_zero_invoice,
    ar.id AS accounts_receivable_id, coalesce(p.record_count, 0) AS record_count, invoiced.until AS late_before,
    -- Periods do not overlap: one goes on where the last one ended, if that is not longer ago than the cycle.
    CASE
      WHEN invoiced.until < %(cutoff_date)s
        AND invoiced.until > %(cutoff_date)s::date - make_interval(months => coalesce(y.months, 1)) THEN invoiced.until
      ELSE (%(cutoff_date)s::date - make_interval(months => coalesce(y.months, 1)))::date
    END AS period_start,
    coalesce(%(message)s::text, m.text, '') AS message
  FROM customer c
  JOIN currency cu ON cu.code = c.currency_id
  LEFT JOIN accounts_receivable ar ON ar.customer_id = c.id
  LEFT JOIN customer_billing b ON b.customer_id = c.id
  LEFT JOIN billing_cycle y ON y.id = b.billing_cycle_id
  LEFT JOIN invoice_message m ON m.id = b.invoice_message_id
  LEFT JOIN pending p ON p.customer_id = c.id
  LEFT JOIN invoiced ON invoiced.customer_id = c.id
  CROSS JOIN LATERAL (
    SELECT c.status = 'ACTIVE' AND coalesce(invoiced.until < %(cutoff_date)s, true) AS once
  ) is_due
  WHERE CASE
    WHEN %(customer_id)s::bigint IS NOT NULL THEN c.id = %(customer_id)s
    ELSE coalesce(y.subrun, '') = %(subrun)s
      AND (c.status <> 'CLOSED' OR p.record_count > 0 OR EXISTS (
        SELECT FROM transaction x WHERE x.customer_id = c.id AND x.invoice_line_id IS NULL
      ))
      AND (coalesce(y.months, 1) = 1 OR invoiced.until IS NULL
           OR invoiced.until + make_interval(months => y.months) <= %(cutoff_date)s)
  END
), numbered AS (
  -- Chunks of about the same number of records, in the order of account numbers: the same whoever works them off.
  SELECT taken.*, 1 + div(sum(record_count + 1) OVER (ORDER BY account_number COLLATE "C") - record_count - 1,
                          %(chunk_records)s)::integer AS chunk_number
  FROM taken
), chunk AS (
  INSERT INTO run_chunk (run_id, number, account_count, record_count)
  SELECT %(run_id)s, chunk_number, count(*), sum(record_count) FROM numbered GROUP BY chunk_number
  RETURNING id, number
), card AS (
  -- The customer's own cards, then its groups', then the default: those in its currency.
  SELECT customer_id, array_agg(rate_card_id ORDER BY rank, position, tie) AS rate_card_ids
  FROM (
    SELECT customer_id, rate_card_id, 1 AS rank, position, 0::bigint AS tie FROM customer_rate_card
    UNION ALL
    SELECT gm.customer_id, g.rate_card_id, 2, g.position, g.group_id
    FROM customer_group_rate_card g JOIN customer_group_member gm ON gm.customergroup_id = g.group_id
    UNION ALL
    SELECT t.customer_id, d.id, 3, 0, 0 FROM taken t JOIN rate_card d ON d.is_default AND d.currency_id = t.currency_id
  ) cards
  JOIN taken USING (customer_id)
  JOIN rate_card rc ON rc.id = cards.rate_card_id AND rc.currency_id = taken.currency_id
  GROUP BY customer_id
)
INSERT INTO run_account (
  run_id, chunk_id, customer_id, accounts_receivable_id, outcome, reason, record_count, exact_amount, currency_id,
  minor_units, timezone, tax_rate_id, minimum_amount, minimum_rule, low_usage_fee, wants_zero_invoice, rate_card_ids,
  period_start, late_before, message
)
SELECT
  %(run_id)s, chunk.id, n.customer_id, n.accounts_receivable_id, %(outcome)s, %(reason)s, 0, 0, n.currency_id,
  n.minor_units, n.timezone, n.tax_rate_id, n.minimum_amount, n.minimum_rule, n.low_usage_fee, n.wants_zero_invoice,
  coalesce(card.rate_card_ids, '{}'), n.period_start, n.late_before, n.message
FROM numbered n
JOIN chunk ON chunk.number = n.chunk_number
LEFT JOIN card ON card.customer_id = n.customer_id
ORDER BY n.account_number COLLATE "C"
