-- The records of the charges that a credit note is to take back, for this transaction alone to change, in one order.
SELECT count(*) FROM (
  SELECT r.id FROM usage_data_record r
  WHERE r.id IN (
    SELECT c.record_id FROM invoice_line l
    JOIN usage_charge c ON c.line_id = l.id
    WHERE l.invoice_id = %(invoice_id)s AND l.charge_count > 0
      AND (%(line_numbers)s::bigint[] IS NULL OR l.line_number = ANY (%(line_numbers)s))
  ) AND (%(record_numbers)s::text[] IS NULL OR r.number = ANY (%(record_numbers)s))
  ORDER BY r.id
  FOR NO KEY UPDATE
) locked
