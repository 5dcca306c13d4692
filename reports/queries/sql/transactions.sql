-- The lines of an invoice that are no usage, each with the service that it is for, where it is for one: of the recurring
-- charge, or of the usage that it takes back.
CREATE TEMPORARY TABLE reported_transaction ON COMMIT DROP AS
SELECT l.id, l.line_number, coalesce(nullif(l.description, ''), l.product_name) AS product_name,
  coalesce(x.transaction_date, i.invoice_date) AS date, coalesce(nullif(l.description, ''), l.product_name) AS description,
  %(kinds)s::jsonb ->> l.kind AS type, v.site, v.campaign, v.identifier AS number, l.quantity, l.unit_price,
  concat(t.name, ' (', trim_scale(t.percent), ' %%)') AS tax_rate, l.exact_amount, l.amount, 1 AS charge_count
FROM invoice i
JOIN invoice_line l ON l.invoice_id = i.id AND l.kind <> 'USAGE'
JOIN tax_rate t ON t.id = l.tax_rate_id
LEFT JOIN transaction x ON x.invoice_line_id = l.id
LEFT JOIN recurring_charge g ON g.id = x.recurring_charge_id
LEFT JOIN usage_charge c ON c.id = x.reversed_charge_id
LEFT JOIN usage_data_record r ON r.id = c.record_id
LEFT JOIN reported_service v ON v.id = coalesce(g.service_id, r.subscription_service_id)
WHERE i.id = %(invoice_id)s;
CREATE TEMPORARY TABLE {cells} ON COMMIT DROP AS
SELECT ''::text AS part, true AS is_listed, '' AS unit, id AS line_id, 1 AS uses, 0::numeric AS duration, quantity,
  quantity AS billed_quantity, exact_amount AS charges, amount
FROM reported_transaction
