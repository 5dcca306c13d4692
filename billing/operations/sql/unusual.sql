-- Accounts just invoiced whose net amount is far from what the customer's invoices come to: they are held, with their draft.
-- Usual is the median of the last 12 invoices in the currency that were posted before the run was commenced, at least 3,
-- give or take 3 x 1.4826 times their median absolute deviation (1.4826 of it is the standard deviation of what is
-- normally distributed). A median is that of the two in the middle where their number is even, exactly. Account by
-- account, by the index of its customer's invoices.
UPDATE run_account a
SET outcome = 'held', held_for = 'unusual', reason = concat_ws(' ',
  'It comes to ' || round(u.net_amount, u.minor_units) || ' ' || u.currency_id || ' before tax, '
  || CASE WHEN u.median = 0 THEN '' ELSE round(u.distance * 100 / abs(u.median)) || ' %% ' END
  || CASE WHEN u.net_amount > u.median THEN 'more' ELSE 'less' END || ' than usual: the customer''s last '
  || u.invoice_count || ' invoices come to ' || round(u.median, u.minor_units) || ' (median), usually between '
  || round(u.median - u.width, u.minor_units) || ' and ' || round(u.median + u.width, u.minor_units)
  || '. Release it, or correct what is wrong.',
  nullif(a.reason, ''))
FROM (
  SELECT o.id, o.net_amount, o.currency_id, o.minor_units, p.invoice_count, m.median, w.width, w.distance
  FROM produced_account o
  JOIN billing_run b ON b.id = %(run_id)s AND b.unusual_percent IS NOT NULL AND b.unusual_amount IS NOT NULL
  CROSS JOIN LATERAL (
    SELECT array_agg(i.net_amount ORDER BY i.net_amount) AS amounts, count(*)::integer AS invoice_count
    FROM (
      SELECT i.net_amount FROM invoice i
      WHERE i.customer_id = o.customer_id AND i.state = 'POSTED' AND i.currency_id = o.currency_id
        AND i.posted_at <= b.commenced_at AND i.credited_invoice_id IS NULL AND NOT i.is_manual
      ORDER BY i.period_end DESC, i.id DESC LIMIT 12
    ) i
  ) p
  CROSS JOIN LATERAL (
    SELECT (p.amounts[(p.invoice_count + 1) / 2] + p.amounts[p.invoice_count / 2 + 1]) * 0.5 AS median
  ) m
  CROSS JOIN LATERAL (
    SELECT array_agg(abs(x - m.median) ORDER BY abs(x - m.median)) AS deviations FROM unnest(p.amounts) x
  ) d
  CROSS JOIN LATERAL (
    SELECT abs(o.net_amount - m.median) AS distance,
      3 * 1.4826 * (d.deviations[(p.invoice_count + 1) / 2] + d.deviations[p.invoice_count / 2 + 1]) * 0.5 AS width
  ) w
  WHERE o.outcome = 'invoiced' AND p.invoice_count >= 3 AND w.distance > w.width
    AND w.distance * 100 > b.unusual_percent * abs(m.median) AND w.distance > b.unusual_amount
) u
WHERE a.id = u.id
