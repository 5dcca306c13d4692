-- The digests of a document's parts. What has no rows is digested as nothing.
(
  SELECT string_agg(coalesce(p.sha256, encode(sha256(''), 'hex')) || '  ' || part.name, E'\n' ORDER BY part.turn)
  FROM unnest(ARRAY['document', 'seller', 'buyer', 'lines', 'taxes', 'rates', 'charges']) WITH ORDINALITY AS part (name, turn)
  LEFT JOIN (
    SELECT part, sha256 FROM content WHERE invoice_id = i.id
    UNION ALL
    SELECT 'document', encode(sha256(convert_to(concat(
      to_json({number}::text), '|', i.kind, '|', i.currency_id, '|', i.period_start, '|', i.period_end, '|', i.invoice_date,
      '|', i.due_date, '|', i.tax_point, '|', to_json(i.language), '|', to_json(i.message), '|',
      (SELECT to_json(n.number) FROM invoice n WHERE n.id = i.credited_invoice_id), '|', to_json(i.reason), '|',
      trim_scale(i.net_amount), '|', trim_scale(i.tax_amount), '|', trim_scale(i.total_amount)), 'UTF8')), 'hex')
  ) p ON p.part = part.name
)
