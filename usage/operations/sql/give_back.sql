-- Records in the temporary table `given_back` (record_id) that are posted and charged are cancelled, and each has a
-- successor that says the same and is pending: a run that was commenced before does not take it. Their numbers go on
-- from those of the successors that there were (R1~2, then R1~3); what the source system has given itself is passed over.
-- Step by step: of the successors of a record one stands at a time.
UPDATE usage_data_record r SET life_cycle_state = 'CANCELLED', updated_by_id = %(user_id)s
FROM given_back g
WHERE r.id = g.record_id;
CREATE TEMPORARY TABLE successor ON COMMIT DROP AS
SELECT nextval(pg_get_serial_sequence('usage_data_record', 'id')) AS id, r.id AS record_id, f.id AS original_id,
  f.number || '~' || t.turn AS number
FROM given_back g
JOIN usage_data_record r ON r.id = g.record_id
JOIN usage_data_record f ON f.id = coalesce(r.original_id, r.id)
CROSS JOIN LATERAL (SELECT count(*) + 2 AS turn FROM usage_data_record s WHERE s.original_id = f.id) n
CROSS JOIN LATERAL (
  SELECT turn FROM generate_series(n.turn, n.turn + 10000) AS turn
  WHERE NOT EXISTS (
    SELECT FROM usage_data_record o WHERE o.number = f.number || '~' || turn AND o.source_system_id = f.source_system_id
  )
  LIMIT 1
) t;
ANALYZE successor;
INSERT INTO usage_data_record (
  id, number, original_id, is_late, life_cycle_state, created_by_id, {copied}
)
SELECT s.id, s.number, s.original_id,
  EXISTS (SELECT FROM customer_billed_until b WHERE b.customer_id = r.customer_id AND b.day > r.billing_effective_date),
  'POSTED', %(user_id)s, {taken}
FROM successor s
JOIN usage_data_record r ON r.id = s.record_id
ORDER BY s.id;
INSERT INTO pending_usage (record_id, customer_id, billing_effective_date)
SELECT r.id, r.customer_id, r.billing_effective_date
FROM successor s
JOIN usage_data_record r ON r.id = s.id;
INSERT INTO usage_data_record_change (record_id, kind, at, user_id, reason, changes)
SELECT record_id, 'ADJUSTED', %(at)s, %(user_id)s, %(reason)s, '{{}}' FROM given_back
