-- What documents say, part by part, but for their charges: see invoicing.operations.content.
-- Lines, taxes and rates are looked up for these documents first: planned as part of the whole, all lines that ever
-- used a rate were read, or all taxes there are.
INSERT INTO content
WITH priced AS MATERIALIZED (
  SELECT invoice_id, line_number, rate_id FROM invoice_line WHERE invoice_id = ANY (%(invoice_ids)s)
), tax AS MATERIALIZED (
  SELECT invoice_id, tax_rate_id, name, percent, net_amount, tax_amount, note
  FROM invoice_tax WHERE invoice_id = ANY (%(invoice_ids)s)
), terms AS MATERIALIZED (
  SELECT r.id, concat(
    to_json(r.region), '|', r.destination_prefix, '|', r.pricing_model, '|', trim_scale(r.unit_price), '|',
    trim_scale(r.unit_size), '|', trim_scale(r.connection_fee), '|', trim_scale(r.minimum_quantity), '|',
    trim_scale(r.first_increment), '|', trim_scale(r.increment), '|', trim_scale(r.minimum_charge), '|',
    trim_scale(r.maximum_charge), '|', trim_scale(r.included_quantity), '|', r.counted_per, '|', r.rounding_digits, '|',
    r.rounding_mode, '|', r.start_date, '|', (
      SELECT string_agg(concat(trim_scale(s.from_quantity), '=', trim_scale(s.unit_price)), ',' ORDER BY s.from_quantity)
      FROM rate_tier s WHERE s.rate_id = r.id
    )) AS text
  FROM (SELECT DISTINCT rate_id FROM priced) p
  JOIN rate r ON r.id = p.rate_id
)
SELECT invoice_id, part, encode(sha256(convert_to(string_agg(text, E'\n' ORDER BY place, tie COLLATE "C", percent), 'UTF8')), 'hex')
FROM (
  SELECT i.id AS invoice_id, 'buyer' AS part, 0 AS place, '' AS tie, 0 AS percent,
    concat(to_json(i.customer_name), '|', to_json(i.customer_address), '|', to_json(i.customer_vat_number)) AS text
  FROM invoice i WHERE i.id = ANY (%(invoice_ids)s)
  UNION ALL
  SELECT i.id, 'seller', 0, '', 0,
    concat(to_json(i.seller_name), '|', to_json(i.seller_address), '|', to_json(i.seller_vat_number), '|',
      to_json(i.seller_registration), '|', to_json(i.payment_details))
  FROM invoice i WHERE i.id = ANY (%(invoice_ids)s)
  UNION ALL
  SELECT l.invoice_id, 'lines', l.line_number, '', 0, concat(
    l.line_number, '|', l.kind, '|', to_json(l.product_code), '|', to_json(l.product_name), '|', to_json(l.product_group), '|',
    to_json(l.product_line), '|', to_json(l.region), '|', to_json(l.usage_type), '|', to_json(l.unit), '|',
    to_json(l.description), '|', l.late_period, '|', trim_scale(l.quantity), '|', trim_scale(l.unit_price), '|',
    trim_scale(l.unit_size), '|', trim_scale(l.exact_amount), '|', trim_scale(l.amount), '|', trim_scale(t.percent), '|',
    l.charge_count, '|', to_json(l.coupon_code), '|', credited.line_number)
  FROM invoice_line l
  LEFT JOIN invoice_line credited ON credited.id = l.credited_line_id
  LEFT JOIN tax t ON t.invoice_id = l.invoice_id AND t.tax_rate_id = l.tax_rate_id
  WHERE l.invoice_id = ANY (%(invoice_ids)s)
  UNION ALL
  SELECT t.invoice_id, 'taxes', 0, t.name, t.percent, concat(
    to_json(t.name), '|', trim_scale(t.percent), '|', trim_scale(t.net_amount), '|', trim_scale(t.tax_amount), '|',
    to_json(t.note))
  FROM tax t
  UNION ALL
  SELECT p.invoice_id, 'rates', p.line_number, '', 0, concat(p.line_number, '|', t.text)
  FROM priced p
  JOIN terms t ON t.id = p.rate_id
) rows
GROUP BY invoice_id, part
