-- Since when the month's bill goes, for one customer. Whatever waits is on it (no day) once the bill of the time before is
-- made: a document covers it, or a run found that it comes to too little. Until then, what is effective in the month.
-- What is posted in the middle of a month is a bill of its own; the rest goes on from there.
SELECT
  CASE
    WHEN coalesce(b.day >= %(month)s, false) OR EXISTS (
      SELECT FROM run_account a
      JOIN billing_run r ON r.id = a.run_id
      WHERE a.customer_id = %(customer_id)s AND a.outcome = 'nothingToBill' AND r.cutoff_date >= %(month)s
    ) THEN NULL
    ELSE %(month)s::date
  END AS since,
  greatest(%(month)s::date, p.until) AS period_start
FROM (SELECT) one
LEFT JOIN customer_billed_until b ON b.customer_id = %(customer_id)s
CROSS JOIN LATERAL (
  SELECT max(i.period_end) AS until FROM invoice i
  WHERE i.customer_id = %(customer_id)s AND i.state = 'POSTED' AND NOT i.is_manual AND i.period_end > %(month)s
    AND i.period_end <= %(today)s
) p
