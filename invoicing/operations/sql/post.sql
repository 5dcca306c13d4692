-- Drafts become posted: numbers in the order of account numbers, and the SHA-256 of what each says. The hash leaves out
-- row ids and times, so that the same run gives the same hashes wherever and however often it is produced.
WITH draft AS (
  SELECT i.id, i.kind, row_number() OVER (PARTITION BY i.kind ORDER BY c.account_number COLLATE "C", i.id) AS turn
  FROM invoice i
  JOIN customer c ON c.id = i.customer_id
  WHERE i.id = ANY (%(invoice_ids)s) AND i.state = 'DRAFT'
), wanted AS (
  SELECT kind, count(*) AS document_count FROM draft GROUP BY kind
), series AS (
  UPDATE number_series s SET next_number = s.next_number + w.document_count
  FROM wanted w
  WHERE s.kind = w.kind
  RETURNING s.id, s.kind, s.prefix, s.digits, s.next_number - w.document_count AS first
), line AS (
  SELECT invoice_id, string_agg(concat_ws('|',
      line_number, kind, product_code, region, usage_type, description, late_period, quantity, unit_price, unit_size,
      exact_amount, amount, charge_count), E'\n' ORDER BY line_number) AS content
  FROM invoice_line WHERE invoice_id IN (SELECT id FROM draft) GROUP BY invoice_id
), tax AS (
  SELECT invoice_id, string_agg(concat_ws('|', name, percent, net_amount, tax_amount), E'\n' ORDER BY name COLLATE "C") AS content
  FROM invoice_tax WHERE invoice_id IN (SELECT id FROM draft) GROUP BY invoice_id
), numbered AS (
  SELECT d.id, s.id AS series_id, s.first + d.turn - 1 AS sequence_number,
    s.prefix || CASE WHEN length((s.first + d.turn - 1)::text) >= s.digits THEN (s.first + d.turn - 1)::text
                ELSE lpad((s.first + d.turn - 1)::text, s.digits, '0') END AS number
  FROM draft d
  JOIN series s ON s.kind = d.kind
)
UPDATE invoice i
SET state = 'POSTED', series_id = n.series_id, sequence_number = n.sequence_number, number = n.number, posted_at = %(at)s,
    content_sha256 = encode(sha256(convert_to(concat_ws(E'\n',
      concat_ws('|', n.number, i.kind, c.account_number, i.customer_name, i.customer_address, i.customer_vat_number,
        i.currency_id, i.period_start, i.period_end, i.invoice_date, i.due_date, i.message, i.net_amount, i.tax_amount,
        i.total_amount),
      line.content, tax.content), 'UTF8')), 'hex')
FROM numbered n
JOIN invoice own ON own.id = n.id
JOIN customer c ON c.id = own.customer_id
LEFT JOIN line ON line.invoice_id = n.id
LEFT JOIN tax ON tax.invoice_id = n.id
WHERE i.id = n.id
