-- Good rows become records and, where they are to be billed, pending usage: one statement, both or neither.
-- A number that its source system has sent before is passed over here; what it was is found out afterwards.
WITH inserted AS (
  INSERT INTO usage_data_record (
    customer_id, subscription_service_id, product_id, usage_type_id, source_system_id, usage_import_id, line_number,
    number, life_cycle_state, billing_directive, billing_effective_date, from_date, to_date, usage_amount,
    destination, region, rating_type, total_amount, created_by_id{udf_columns}
  )
  SELECT
    customer_id, service_id, product_id, usage_type_id, %(source_system_id)s, %(import_id)s, line_number,
    number, 'POSTED', billing_directive, billing_effective_date, from_date, to_date, usage_amount,
    coalesce(destination, ''), coalesce(region, ''),
    CASE WHEN total_amount IS NULL THEN 'POSTRATED' ELSE 'PRERATED' END, total_amount, %(user_id)s{udf_columns}
  FROM {parsed}
  WHERE fault IS NULL
  -- Of rows with one number the first of the file is taken, in whatever order the joins gave them.
  ORDER BY line_number
  ON CONFLICT (source_system_id, number) DO NOTHING
  RETURNING id, customer_id, billing_effective_date, billing_directive
), pending AS (
  INSERT INTO pending_usage (record_id, customer_id, billing_effective_date)
  SELECT id, customer_id, billing_effective_date FROM inserted WHERE billing_directive <> 'NOT_TO_BE_BILLED'
)
SELECT count(*) FROM inserted
