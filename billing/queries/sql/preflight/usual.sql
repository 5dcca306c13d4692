-- How much was on each of the last runs of the subrun: accounts, those with usage, records, and by currency what they came to.
WITH earlier AS (
  SELECT id, cutoff_date
  FROM billing_run
  WHERE subrun = %(subrun)s AND status = 'completed' AND split_from_id IS NULL AND id <> %(run_id)s
    AND cutoff_date < %(cutoff_date)s
  ORDER BY cutoff_date DESC, id DESC LIMIT %(looked_at)s
)
SELECT a.run_id, a.currency_id, count(*), count(*) FILTER (WHERE a.record_count > 0), sum(a.record_count)::bigint,
  sum(a.exact_amount), min(a.minor_units)
FROM earlier e
JOIN run_account a ON a.run_id = e.id
GROUP BY e.cutoff_date, a.run_id, a.currency_id
ORDER BY e.cutoff_date DESC, a.run_id DESC, a.currency_id
