-- The records that were received on some days (UTC), by source system and day, and where each of them is. What follows
-- reads `imports` (those of the days) and `placed` (their records, and those that came one by one).
-- The range of ids beside the join tells the planner how much of the table the imports are.
WITH imports AS MATERIALIZED (
  SELECT
    id, source_system_id, (started_at AT TIME ZONE 'UTC')::date AS day,
    received_count, accepted_count, duplicate_count, conflict_count, quarantined_count
  FROM usage_import
  WHERE id BETWEEN %(first_import_id)s AND %(last_import_id)s
    AND started_at >= %(from_day)s::date::timestamp AT TIME ZONE 'UTC'
    AND started_at < (%(to_day)s::date + 1)::timestamp AT TIME ZONE 'UTC'
    AND (%(source_system_id)s::bigint IS NULL OR source_system_id = %(source_system_id)s)
), received AS (
  SELECT
    i.source_system_id, i.day, false AS is_single, r.id, r.customer_id, r.number, r.usage_amount, r.life_cycle_state,
    r.billing_directive, r.billing_effective_date
  FROM imports i
  JOIN usage_data_record r ON r.usage_import_id = i.id
  WHERE r.usage_import_id BETWEEN %(first_import_id)s AND %(last_import_id)s
  UNION ALL
  SELECT
    r.source_system_id, (r.created_at AT TIME ZONE 'UTC')::date, true, r.id, r.customer_id, r.number, r.usage_amount,
    r.life_cycle_state, r.billing_directive, r.billing_effective_date
  FROM usage_data_record r
  WHERE %(with_singles)s AND r.usage_import_id IS NULL
    AND r.created_at >= %(from_day)s::date::timestamp AT TIME ZONE 'UTC'
    AND r.created_at < (%(to_day)s::date + 1)::timestamp AT TIME ZONE 'UTC'
    AND (%(source_system_id)s::bigint IS NULL OR r.source_system_id = %(source_system_id)s)
), placed AS (
  SELECT
    r.source_system_id, r.day, r.is_single, r.id, r.number, r.usage_amount, r.life_cycle_state,
    x.is_pending, x.is_charged, x.is_excluded, x.charged_quantity,
    CASE
      WHEN x.is_pending AND c.id IS NOT NULL THEN 'PENDING_AND_CHARGED'
      WHEN x.is_excluded AND x.is_pending THEN 'EXCLUDED_BUT_PENDING'
      WHEN x.is_excluded AND x.is_charged THEN 'EXCLUDED_BUT_CHARGED'
      WHEN NOT (x.is_excluded OR x.is_pending OR x.is_charged) THEN 'NOWHERE'
      WHEN x.is_charged AND v.id IS NOT NULL THEN 'REVERSED_BUT_POSTED'
      WHEN p.customer_id <> r.customer_id OR p.billing_effective_date <> r.billing_effective_date
        THEN 'PENDING_ELSEWHERE'
      WHEN c.customer_id <> r.customer_id THEN 'CHARGED_ELSEWHERE'
      WHEN x.is_charged AND x.charged_quantity <> r.usage_amount THEN 'CHARGED_OTHERWISE'
    END AS fault
  FROM received r
  LEFT JOIN pending_usage p ON p.record_id = r.id
  LEFT JOIN usage_charge c ON c.record_id = r.id
  LEFT JOIN transaction v ON v.reversed_charge_id = c.id
  LEFT JOIN credited_charge k ON k.charge_id = c.id
  CROSS JOIN LATERAL (
    SELECT
      p.record_id IS NOT NULL AS is_pending,
      -- A cancelled record whose charge was taken back, by a reversal or a credit note, is excluded, and nothing else.
      c.id IS NOT NULL AND NOT (r.life_cycle_state = 'CANCELLED' AND coalesce(v.id, k.charge_id) IS NOT NULL) AS is_charged,
      r.life_cycle_state <> 'POSTED' OR r.billing_directive = 'NOT_TO_BE_BILLED' AS is_excluded,
      CASE r.billing_directive WHEN 'TO_BE_CREDITED' THEN -c.quantity ELSE c.quantity END AS charged_quantity
  ) x
)
