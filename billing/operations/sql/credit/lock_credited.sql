-- The records of the charges that a draft credit note takes back, for this transaction alone to change, in one order.
SELECT count(*) FROM (
  SELECT r.id FROM usage_data_record r
  WHERE r.id IN (
    SELECT c.record_id FROM invoice_line l
    JOIN credited_charge k ON k.line_id = l.id
    JOIN usage_charge c ON c.id = k.charge_id
    WHERE l.invoice_id = %(note_id)s
  )
  ORDER BY r.id
  FOR NO KEY UPDATE
) locked
