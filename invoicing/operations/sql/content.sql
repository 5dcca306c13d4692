-- What documents say, part by part, but for their charges: see invoicing.operations.content.
INSERT INTO content
SELECT invoice_id, part, encode(sha256(convert_to(string_agg(text, E'\n' ORDER BY place, tie COLLATE "C", percent), 'UTF8')), 'hex')
FROM (
  SELECT i.id AS invoice_id, 'buyer' AS part, 0 AS place, '' AS tie, 0 AS percent,
    concat(to_json(i.customer_name), '|', to_json(i.customer_address), '|', to_json(i.customer_vat_number)) AS text
  FROM invoice i WHERE i.id = ANY (%(invoice_ids)s)
  UNION ALL
  SELECT l.invoice_id, 'lines', l.line_number, '', 0, concat(
    l.line_number, '|', l.kind, '|', to_json(l.product_code), '|', to_json(l.product_name), '|', to_json(l.product_group), '|',
    to_json(l.product_line), '|', to_json(l.region), '|', to_json(l.usage_type), '|', to_json(l.unit), '|',
    to_json(l.description), '|', l.late_period, '|', trim_scale(l.quantity), '|', trim_scale(l.unit_price), '|',
    trim_scale(l.unit_size), '|', trim_scale(l.exact_amount), '|', trim_scale(l.amount), '|', trim_scale(t.percent), '|',
    l.charge_count)
  FROM invoice_line l
  LEFT JOIN invoice_tax t ON t.invoice_id = l.invoice_id AND t.tax_rate_id = l.tax_rate_id
  WHERE l.invoice_id = ANY (%(invoice_ids)s)
  UNION ALL
  SELECT t.invoice_id, 'taxes', 0, t.name, t.percent, concat(
    to_json(t.name), '|', trim_scale(t.percent), '|', trim_scale(t.net_amount), '|', trim_scale(t.tax_amount))
  FROM invoice_tax t WHERE t.invoice_id = ANY (%(invoice_ids)s)
  UNION ALL
  SELECT l.invoice_id, 'rates', l.line_number, '', 0, concat(l.line_number, '|', r.text)
  FROM invoice_line l
  JOIN (
    SELECT r.id, concat(
      to_json(r.region), '|', r.destination_prefix, '|', r.pricing_model, '|', trim_scale(r.unit_price), '|',
      trim_scale(r.unit_size), '|', trim_scale(r.connection_fee), '|', trim_scale(r.minimum_quantity), '|',
      trim_scale(r.first_increment), '|', trim_scale(r.increment), '|', trim_scale(r.minimum_charge), '|',
      trim_scale(r.maximum_charge), '|', trim_scale(r.included_quantity), '|', r.counted_per, '|', r.rounding_digits, '|',
      r.rounding_mode, '|', r.start_date, '|', (
        SELECT string_agg(concat(trim_scale(s.from_quantity), '=', trim_scale(s.unit_price)), ',' ORDER BY s.from_quantity)
        FROM rate_tier s WHERE s.rate_id = r.id
      )) AS text
    FROM rate r WHERE r.id IN (SELECT rate_id FROM invoice_line WHERE invoice_id = ANY (%(invoice_ids)s))
  ) r ON r.id = l.rate_id
  WHERE l.invoice_id = ANY (%(invoice_ids)s)
) rows
GROUP BY invoice_id, part
