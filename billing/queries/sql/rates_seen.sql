-- Of these versions of rates those that a billing run saw, each with the end that it had then: what was committed after
-- the run was commenced does not count in it. As production has it (price.sql).
SELECT
  t.id,
  CASE
    WHEN t.ended_in IS NULL OR tollbook_seen(t.ended_in, %(snapshot)s::pg_snapshot) THEN t.end_date
    ELSE (
      SELECT (e.ending ->> 'end_date')::date
      FROM jsonb_array_elements(t.earlier_ends) WITH ORDINALITY AS e (ending, turn)
      WHERE e.ending ->> 'ended_in' IS NULL
        OR tollbook_seen((e.ending ->> 'ended_in')::xid8, %(snapshot)s::pg_snapshot)
      ORDER BY e.turn DESC LIMIT 1
    )
  END AS end_date
FROM rate t
WHERE t.id = ANY (%(rate_ids)s)
  AND tollbook_seen(t.created_in, %(snapshot)s::pg_snapshot)
