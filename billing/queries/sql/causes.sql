-- Why accounts of a run are held or failed. Reasons that differ in their numbers only (of records, dates, counts) are one.
SELECT
  outcome, held_for, regexp_replace(reason, '\d+([.,:/-]\d+)*', '…', 'g') AS cause, count(*) AS account_count,
  min(id) AS first_account_id, (array_agg(reason ORDER BY id))[1] AS first_reason
FROM run_account
WHERE run_id = %(run_id)s AND outcome IN ('failed', 'held')
GROUP BY 1, 2, 3
ORDER BY account_count DESC, first_account_id
LIMIT %(limit)s
