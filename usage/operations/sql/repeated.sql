-- Good rows whose number was there before: the same content is a duplicate, other content a conflict.
WITH compared AS (
  SELECT p.line_number, r.id AS record_id, array_remove(ARRAY[
      CASE WHEN r.subscription_service_id <> p.service_id THEN 'service' END,
      CASE WHEN r.product_id <> p.product_id THEN 'product' END,
      CASE WHEN r.usage_type_id <> p.usage_type_id THEN 'type' END,
      CASE WHEN r.from_date <> p.from_date THEN 'from_date' END,
      CASE WHEN r.to_date <> p.to_date THEN 'to_date' END,
      CASE WHEN r.usage_amount <> p.usage_amount THEN 'usage_amount' END,
      CASE WHEN r.billing_directive <> p.billing_directive THEN 'billing_directive' END,
      CASE WHEN r.billing_effective_date <> p.billing_effective_date THEN 'billing_effective_date' END,
      CASE WHEN r.destination <> coalesce(p.destination, '') THEN 'destination' END,
      CASE WHEN r.region <> coalesce(p.region, '') THEN 'region' END,
      CASE WHEN r.total_amount IS DISTINCT FROM p.total_amount THEN 'total_amount' END{udf_differences}
    ], NULL) AS differing_fields
  FROM {parsed} p
  -- Row by row by the unique index: the planner knows nothing yet of the records that this import has added, and would
  -- compare each of them with each row.
  CROSS JOIN LATERAL (
    SELECT * FROM usage_data_record u WHERE u.source_system_id = %(source_system_id)s AND u.number = p.number OFFSET 0
  ) r
  WHERE p.fault IS NULL AND (r.usage_import_id IS DISTINCT FROM %(import_id)s OR r.line_number <> p.line_number)
), conflicts AS (
  INSERT INTO usage_conflict (usage_import_id, record_id, line_number, differing_fields, raw_text)
  SELECT %(import_id)s, c.record_id, c.line_number, to_jsonb(c.differing_fields), s.raw_text
  FROM compared c
  JOIN (SELECT line_number, {raw_text} AS raw_text FROM {staging}) s USING (line_number)
  WHERE cardinality(c.differing_fields) > 0
  ORDER BY c.line_number
)
SELECT
  count(*) FILTER (WHERE cardinality(differing_fields) = 0),
  count(*) FILTER (WHERE cardinality(differing_fields) > 0)
FROM compared
