-- The charges of documents, each with the record that it bills, in blocks of 1,000. Records one by one by their index
-- (OFFSET 0), in their order in the table: of a long history they are a small part.
INSERT INTO content
WITH charge AS (
  SELECT l.invoice_id, l.line_number, c.*
  FROM invoice_line l
  CROSS JOIN LATERAL (
    SELECT c.record_id, c.quantity, c.billed_quantity, c.amount, c.counted_month, c.quantity_before, c.quantity_total,
      c.included_quantity, c.correction
    FROM usage_charge c WHERE c.line_id = l.id
    OFFSET 0
  ) c
  WHERE l.invoice_id = ANY (%(invoice_ids)s)
  ORDER BY c.record_id
  OFFSET 0
), written AS (
  SELECT c.invoice_id, c.line_number, concat(
    to_json(r.number), '|', r.billing_directive, '|', trim_scale(r.usage_amount), '|', trim_scale(r.total_amount), '|',
    trim_scale(extract(epoch FROM r.from_date)), '|', trim_scale(extract(epoch FROM r.to_date)), '|', to_json(r.destination),
    '|', trim_scale(c.quantity), '|', trim_scale(coalesce(c.billed_quantity, c.quantity)), '|', trim_scale(c.amount), '|',
    c.counted_month, '|', trim_scale(c.quantity_before), '|', trim_scale(c.quantity_total), '|',
    trim_scale(c.included_quantity), '|', trim_scale(c.correction)) COLLATE "C" AS text
  FROM charge c
  CROSS JOIN LATERAL (
    SELECT number, billing_directive, usage_amount, total_amount, from_date, to_date, destination
    FROM usage_data_record r WHERE r.id = c.record_id
    OFFSET 0
  ) r
), numbered AS (
  SELECT *, (row_number() OVER (PARTITION BY invoice_id, line_number ORDER BY text) + 999) / 1000 AS block FROM written
), block AS (
  SELECT invoice_id, line_number, block,
    encode(sha256(convert_to(string_agg(text, E'\n' ORDER BY text), 'UTF8')), 'hex') AS sha256
  FROM numbered GROUP BY invoice_id, line_number, block
)
SELECT invoice_id, 'charges',
  encode(sha256(convert_to(string_agg(concat(line_number, '|', block, '|', sha256), E'\n' ORDER BY line_number, block), 'UTF8')),
    'hex')
FROM block GROUP BY invoice_id
