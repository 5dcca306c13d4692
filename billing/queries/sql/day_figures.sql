, found AS (
  SELECT
    source_system_id, day, count(*) AS record_count, count(*) FILTER (WHERE is_single) AS single_count,
    sum(usage_amount) AS record_quantity,
    count(*) FILTER (WHERE is_pending) AS pending_count, sum(usage_amount) FILTER (WHERE is_pending) AS pending_quantity,
    count(*) FILTER (WHERE is_charged) AS charged_count,
    sum(charged_quantity) FILTER (WHERE is_charged) AS charged_quantity,
    count(*) FILTER (WHERE is_excluded AND life_cycle_state = 'POSTED') AS not_billed_count,
    count(*) FILTER (WHERE life_cycle_state = 'DRAFT') AS draft_count,
    count(*) FILTER (WHERE life_cycle_state = 'REJECTED') AS rejected_count,
    count(*) FILTER (WHERE life_cycle_state = 'CANCELLED') AS cancelled_count,
    sum(usage_amount) FILTER (WHERE is_excluded) AS excluded_quantity,
    count(fault) AS misplaced_count
  FROM placed
  GROUP BY source_system_id, day
), noted AS (
  SELECT
    source_system_id, day, sum(received_count) AS received_count, sum(accepted_count) AS accepted_count,
    sum(duplicate_count) AS duplicate_count, sum(conflict_count) AS conflict_count,
    sum(quarantined_count) AS quarantined_count
  FROM imports
  GROUP BY source_system_id, day
), conflict_rows AS (
  SELECT i.source_system_id, i.day, count(*) AS row_count
  FROM imports i
  JOIN usage_conflict c ON c.usage_import_id = i.id
  GROUP BY i.source_system_id, i.day
), quarantined_lines AS (
  -- A line that was resolved went in and is counted as what it became.
  SELECT i.source_system_id, i.day, count(*) AS line_count
  FROM imports i
  JOIN quarantined_line q ON q.usage_import_id = i.id AND q.state <> 'RESOLVED'
  GROUP BY i.source_system_id, i.day
)
SELECT
  source_system_id, day,
  (coalesce(received_count, 0) + coalesce(single_count, 0))::bigint AS received_count,
  (coalesce(accepted_count, 0) + coalesce(single_count, 0))::bigint AS accepted_count,
  coalesce(duplicate_count, 0)::bigint AS duplicate_count, coalesce(conflict_count, 0)::bigint AS conflict_count,
  coalesce(quarantined_count, 0)::bigint AS quarantined_count,
  coalesce(c.row_count, 0) AS conflict_row_count, coalesce(q.line_count, 0) AS quarantined_line_count,
  coalesce(record_count, 0) AS record_count, coalesce(record_quantity, 0) AS record_quantity,
  coalesce(pending_count, 0) AS pending_count, coalesce(pending_quantity, 0) AS pending_quantity,
  coalesce(charged_count, 0) AS charged_count, coalesce(charged_quantity, 0) AS charged_quantity,
  coalesce(not_billed_count, 0) AS not_billed_count, coalesce(draft_count, 0) AS draft_count,
  coalesce(rejected_count, 0) AS rejected_count, coalesce(cancelled_count, 0) AS cancelled_count,
  coalesce(excluded_quantity, 0) AS excluded_quantity, coalesce(misplaced_count, 0) AS misplaced_count
FROM noted
FULL JOIN found USING (source_system_id, day)
LEFT JOIN conflict_rows c USING (source_system_id, day)
LEFT JOIN quarantined_lines q USING (source_system_id, day)
-- A day on which all that came were files that were refused has nothing to account for.
WHERE greatest(received_count, record_count, c.row_count, q.line_count) > 0
ORDER BY day DESC, source_system_id
