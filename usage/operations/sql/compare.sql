-- Good rows whose number was there before, and whether the record, or a successor of it, says the same.
SELECT
  p.line_number, r.id AS record_id, s.is_same,
  CASE WHEN NOT s.is_same THEN (
    SELECT coalesce(jsonb_object_agg(d.field, jsonb_build_array(d.stands, d.came)), '{{}}')
    FROM (
      VALUES
        ('service', (SELECT identifier FROM subscription_service WHERE id = r.subscription_service_id),
          (SELECT identifier FROM subscription_service WHERE id = p.service_id)),
        ('product', (SELECT code FROM product WHERE id = r.product_id), (SELECT code FROM product WHERE id = p.product_id)),
        ('type', (SELECT name FROM usage_type WHERE id = r.usage_type_id),
          (SELECT name FROM usage_type WHERE id = p.usage_type_id)),
        ('from_date', to_char(r.from_date AT TIME ZONE 'UTC', %(instant)s), to_char(p.from_date AT TIME ZONE 'UTC', %(instant)s)),
        ('to_date', to_char(r.to_date AT TIME ZONE 'UTC', %(instant)s), to_char(p.to_date AT TIME ZONE 'UTC', %(instant)s)),
        ('usage_amount', trim_scale(r.usage_amount)::text, trim_scale(p.usage_amount)::text),
        ('billing_directive', r.billing_directive, p.billing_directive),
        ('billing_effective_date', r.billing_effective_date::text, p.billing_effective_date::text),
        ('destination', r.destination, coalesce(p.destination, '')),
        ('region', r.region, coalesce(p.region, '')),
        ('total_amount', trim_scale(r.total_amount)::text, trim_scale(p.total_amount)::text),
        ('subscription_action', (SELECT number FROM subscription_action WHERE id = r.subscription_action_id),
          (SELECT number FROM subscription_action WHERE id = p.subscription_action_id)){udf_differences}
    ) d (field, stands, came)
    WHERE d.stands IS DISTINCT FROM d.came
  ) END AS differences
FROM {parsed} p
-- Row by row by the unique index: the planner knows nothing yet of the records that this import has added, and would
-- compare each of them with each row. The sum keeps it from reading all records of the source system for each row,
-- which looks as cheap where the table was empty when last looked at.
CROSS JOIN LATERAL (
  SELECT * FROM usage_data_record u
  WHERE u.number = p.number AND u.source_system_id + 0 = %(source_system_id)s
  OFFSET 0
) r
CROSS JOIN LATERAL (
  SELECT {is_same} OR (
    -- What an adjusted record has become is no news either.
    r.life_cycle_state = 'CANCELLED'
    AND EXISTS (SELECT FROM usage_data_record u WHERE u.original_id = r.id AND {is_same_as_successor})
  ) OR (
    -- Nor is the directive that it came with, before people gave it another one.
    {is_same_but_directive} AND coalesce((
      SELECT h.changes #>> '{{billing_directive,0}}' = p.billing_directive FROM usage_data_record_change h
      WHERE h.record_id = r.id AND h.kind = 'DIRECTIVE_SET' ORDER BY h.id LIMIT 1
    ), false)
  ) AS is_same
) s
WHERE p.fault IS NULL
  AND (%(import_id)s::bigint IS NULL OR r.usage_import_id IS DISTINCT FROM %(import_id)s
    OR r.line_number <> p.line_number)
