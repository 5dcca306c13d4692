-- The texts of the staging table become values, services become customers; what is wrong gets its fault instead.
-- The faults are told in the order in which a person would read the row. Rows come out in the order of the file.
-- Two services match a row where an identifier changes hands between customers whose days begin at different hours: for
-- some hours both dates hold. The later owner has it then.
SELECT DISTINCT ON (p.line_number)
  p.line_number, p.number, p.from_date, p.to_date, p.usage_amount, p.total_amount, p.destination, p.region,
  s.id AS service_id, s.customer_id, coalesce(pr.id, d.id) AS product_id, {action_value} AS subscription_action_id,
  coalesce(t.id, CASE WHEN p.type IS NULL THEN %(default_usage_type_id)s::bigint END) AS usage_type_id,
  coalesce(p.life_cycle_state, 'POSTED') AS life_cycle_state,
  coalesce(p.billing_directive, 'TO_BE_BILLED') AS billing_directive,
  e.billing_effective_date, coalesce(e.billing_effective_date < b.day, false) AS is_late{udf_values},
  CASE
    {row_fault}
    WHEN p.service IS NULL THEN 'MISSING_VALUE:service'
    WHEN p.from_date_text IS NULL THEN 'MISSING_VALUE:from_date'
    WHEN p.usage_amount_text IS NULL THEN 'MISSING_VALUE:usage_amount'
    -- What a record can hold.
    WHEN p.from_date IS NULL OR p.from_date < '1900-01-01 00:00Z' OR p.from_date > '2999-12-31' THEN 'BAD_DATE:from_date'
    WHEN p.to_date IS NULL OR p.to_date > '3000-12-31' THEN 'BAD_DATE:to_date'
    WHEN p.to_date < p.from_date THEN 'BAD_PERIOD:to_date'
    WHEN p.usage_amount IS NULL THEN 'BAD_NUMBER:usage_amount'
    WHEN p.billing_directive NOT IN ('TO_BE_BILLED', 'TO_BE_CREDITED', 'NOT_TO_BE_BILLED')
      THEN 'BAD_CHOICE:billing_directive'
    WHEN p.life_cycle_state NOT IN ('DRAFT', 'POSTED') THEN 'BAD_CHOICE:life_cycle_state'
    WHEN p.billing_effective_date_text IS NOT NULL
      AND coalesce(p.billing_effective_date NOT BETWEEN '1900-01-01' AND '8999-12-31', true)
      THEN 'BAD_DATE:billing_effective_date'
    WHEN p.total_amount_text IS NOT NULL AND p.total_amount IS NULL THEN 'BAD_NUMBER:total_amount'
    WHEN length(p.number) > 200 THEN 'TOO_LONG:number'
    WHEN length(p.destination) > 100 THEN 'TOO_LONG:destination'
    WHEN length(p.region) > 100 THEN 'TOO_LONG:region'
    {udf_faults}
    WHEN s.id IS NULL THEN 'UNKNOWN_SERVICE:service'
    WHEN pr.id IS NULL AND p.product IS NOT NULL THEN 'UNKNOWN_PRODUCT:product'
    WHEN coalesce(pr.id, d.id) IS NULL THEN 'MISSING_VALUE:product'
    WHEN pr.kind <> 'USAGE' THEN 'UNKNOWN_PRODUCT:product'
    WHEN t.id IS NULL AND p.type IS NOT NULL THEN 'UNKNOWN_TYPE:type'
    WHEN t.id IS NULL AND %(default_usage_type_id)s::bigint IS NULL THEN 'MISSING_VALUE:type'
    {action_fault}
  END AS fault
FROM (
  SELECT t.*, {value_columns}, coalesce(number_text, 'I' || %(import_id)s || '-' || line_number) AS number
  FROM (SELECT line_number{is_object}, {text_columns} FROM {rows} OFFSET 0) t
  -- Keeps the planner from computing each text and value again wherever it is used.
  OFFSET 0
) p
LEFT JOIN (
  subscription_service s
  JOIN customer c ON c.id = s.customer_id
  LEFT JOIN product d ON d.id = s.product_id AND d.kind = 'USAGE'
  LEFT JOIN customer_billed_until b ON b.customer_id = s.customer_id
)
  ON s.identifier = p.service
  AND s.start_date <= (p.from_date AT TIME ZONE c.timezone)::date
  AND (s.end_date IS NULL OR s.end_date > (p.from_date AT TIME ZONE c.timezone)::date)
LEFT JOIN product pr ON pr.code = p.product
LEFT JOIN (
  SELECT name AS key, id FROM usage_type
  UNION ALL
  -- Where one has as its name what another has as its code, the name counts.
  SELECT y.alternative_code, y.id FROM usage_type y
  WHERE y.alternative_code <> '' AND NOT EXISTS (SELECT FROM usage_type n WHERE n.name = y.alternative_code)
) t ON t.key = p.type
{action_join}
CROSS JOIN LATERAL (
  SELECT coalesce(p.billing_effective_date, (p.from_date AT TIME ZONE c.timezone)::date) AS billing_effective_date
) e
ORDER BY p.line_number, s.start_date DESC
