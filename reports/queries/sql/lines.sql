-- The usage lines of an invoice, and what reports say of them: their texts, the name of the rate's destination. A price
-- for more than one unit says for how many. A use that is priced by how much was used in the month has no price of its
-- own: that of the rate is the first tier's.
CREATE TEMPORARY TABLE reported_line ON COMMIT DROP AS
SELECT l.id, l.line_number, l.product_code, l.product_name, l.region, l.usage_type, l.unit,
  CASE WHEN t.pricing_model IN ('graduated', 'volume') THEN NULL ELSE l.unit_price END AS unit_price,
  CASE
    WHEN l.unit_price IS NULL OR t.pricing_model IN ('graduated', 'volume') THEN NULL
    WHEN l.unit_size = 1 THEN l.unit
    ELSE concat_ws(' ', trim_scale(l.unit_size), nullif(l.unit, ''))
  END AS rate_unit,
  t.connection_fee, coalesce(t.destination_name, '') AS destination_name, l.exact_amount, l.amount, l.charge_count
FROM invoice_line l
LEFT JOIN rate t ON t.id = l.rate_id
WHERE l.invoice_id = %(invoice_id)s AND l.kind = 'USAGE';
-- The customer's services, with the site and the campaign that each is of.
CREATE TEMPORARY TABLE reported_service ON COMMIT DROP AS
SELECT v.id, v.identifier, coalesce(s.name, '') AS site, coalesce(c.name, '') AS campaign
FROM subscription_service v
LEFT JOIN site s ON s.id = v.site_id
LEFT JOIN campaign c ON c.id = v.campaign_id
WHERE v.customer_id = %(customer_id)s
