-- Good rows become records and, where they are to be billed, pending usage: one statement, both or neither.
-- A number that its source system has sent before is passed over here; what it was is found out afterwards. Rows come in
-- the order of the file: of those with one number the first is taken.
WITH {prelude}inserted AS (
  INSERT INTO usage_data_record (
    customer_id, subscription_service_id, product_id, usage_type_id, source_system_id, subscription_action_id,
    usage_import_id, line_number, number, is_late, life_cycle_state, billing_directive, billing_effective_date,
    from_date, to_date, usage_amount, destination, region, rating_type, total_amount, created_by_id{udf_columns}
  )
  SELECT
    customer_id, service_id, product_id, usage_type_id, %(source_system_id)s, subscription_action_id,
    %(import_id)s::bigint, CASE WHEN %(import_id)s::bigint IS NOT NULL THEN line_number END, number, is_late,
    life_cycle_state, billing_directive, billing_effective_date, from_date, to_date, usage_amount,
    coalesce(destination, ''), coalesce(region, ''),
    CASE WHEN total_amount IS NULL THEN 'POSTRATED' ELSE 'PRERATED' END, total_amount, %(user_id)s{udf_columns}
  FROM {parsed}
  WHERE fault IS NULL
  ON CONFLICT (source_system_id, number) DO NOTHING
  RETURNING id, customer_id, billing_effective_date, billing_directive, life_cycle_state, is_late
), pending AS (
  INSERT INTO pending_usage (record_id, customer_id, billing_effective_date)
  SELECT id, customer_id, billing_effective_date FROM inserted
  WHERE billing_directive <> 'NOT_TO_BE_BILLED' AND life_cycle_state = 'POSTED'
)
{result}
