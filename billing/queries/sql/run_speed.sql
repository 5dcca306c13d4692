-- A run's chunks: how much they hold, how much of that is produced, and what the last minute finished. The minute begins
-- where its first chunk was begun, if that is later: a run that has just begun or was just resumed is not averaged with the
-- time in which nobody worked.
WITH chunk AS (
  SELECT
    account_count, record_count, produced_at,
    produced_at + coalesce(duration_ms, 0) * interval '1 millisecond' AS finished_at
  FROM run_chunk
  WHERE run_id = %(run_id)s
), minute AS (
  SELECT *, finished_at > %(at)s::timestamptz - %(window)s::interval AS is_recent FROM chunk
)
SELECT
  count(*) AS chunk_count,
  count(produced_at) AS produced_chunk_count,
  coalesce(sum(account_count), 0)::bigint AS account_count,
  coalesce(sum(account_count) FILTER (WHERE produced_at IS NOT NULL), 0)::bigint AS produced_account_count,
  coalesce(sum(record_count), 0)::bigint AS record_count,
  coalesce(sum(record_count) FILTER (WHERE produced_at IS NOT NULL), 0)::bigint AS produced_record_count,
  coalesce(sum(account_count) FILTER (WHERE is_recent), 0)::bigint AS recent_account_count,
  coalesce(sum(record_count) FILTER (WHERE is_recent), 0)::bigint AS recent_record_count,
  CASE
    WHEN bool_or(is_recent)
    THEN least(%(window)s::interval, %(at)s::timestamptz - min(produced_at) FILTER (WHERE is_recent))
  END AS recent_time
FROM minute
