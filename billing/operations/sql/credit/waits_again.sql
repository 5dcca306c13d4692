-- Whether transactions will wait again with a credit note (transactions.sql, corrections.sql).
SELECT EXISTS (
  SELECT FROM invoice_line l
  JOIN transaction x ON x.invoice_line_id = l.credited_line_id
  WHERE l.invoice_id = %(note_id)s AND (%(gives_back)s OR x.kind IN ('REVERSAL', 'CORRECTION'))
) OR EXISTS (
  SELECT FROM invoice_line l
  JOIN credited_charge k ON k.line_id = l.id
  JOIN price_correction p ON p.charge_id = k.charge_id
  WHERE l.invoice_id = %(note_id)s
)
