-- Charges that are not what their record comes to, rated again; of each document the first.
ANALYZE rated (record_id), recounted;
INSERT INTO difference
SELECT DISTINCT ON (c.turn) c.turn, 2, concat('record ', coalesce(u.number, '#' || c.record_id), ' on line ', c.line_number),
  v.field, v.stored, v.recomputed
FROM charged c
LEFT JOIN usage_data_record u ON u.id = c.record_id
LEFT JOIN rated r ON r.record_id = c.record_id
LEFT JOIN recounted n ON n.record_id = c.record_id
LEFT JOIN rate w ON w.id = c.rate_id
LEFT JOIN rate h ON h.id = r.rate_id
CROSS JOIN LATERAL (VALUES
  (1, 'record', 'charged', CASE WHEN u.id IS NULL THEN 'gone' ELSE 'charged' END),
  (2, 'customer', c.customer_id::text, u.customer_id::text),
  (3, 'product', c.product_id::text, u.product_id::text),
  (4, 'region', c.region, u.region),
  (5, 'quantity', trim_scale(c.quantity)::text, trim_scale(r.quantity)::text),
  (6, 'rate', concat(w.unit_price, ' from ', w.start_date, ' (', c.rate_id, ')'),
    CASE WHEN r.rate_id IS NOT DISTINCT FROM c.rate_id THEN concat(w.unit_price, ' from ', w.start_date, ' (', c.rate_id, ')')
      ELSE concat(h.unit_price, ' from ', h.start_date, ' (', r.rate_id, ')') END),
  (7, 'billed quantity', trim_scale(coalesce(c.billed_quantity, c.quantity))::text, trim_scale(r.billed_quantity)::text),
  (8, 'amount', trim_scale(c.amount)::text,
    trim_scale(CASE WHEN c.counted_month IS NULL THEN r.amount ELSE n.amount END)::text)
) v (place, field, stored, recomputed)
WHERE v.stored IS DISTINCT FROM v.recomputed
ORDER BY c.turn, c.line_number, u.number COLLATE "C", v.place
