-- The charges of an invoice that a credit note takes back: of all lines or of these, of all records or of these; but for
-- those that a credit note or a reversal has taken back before.
CREATE TEMPORARY TABLE chosen_charge ON COMMIT DROP AS
SELECT c.id AS charge_id, c.line_id, c.amount, coalesce(c.billed_quantity, c.quantity) AS quantity
FROM invoice_line l
JOIN usage_charge c ON c.line_id = l.id
WHERE l.invoice_id = %(invoice_id)s AND l.charge_count > 0
  AND (%(line_numbers)s::bigint[] IS NULL OR l.line_number = ANY (%(line_numbers)s))
  AND (%(record_ids)s::bigint[] IS NULL OR c.record_id = ANY (%(record_ids)s))
  AND NOT EXISTS (SELECT FROM credited_charge k WHERE k.charge_id = c.id)
  AND NOT EXISTS (SELECT FROM transaction x WHERE x.reversed_charge_id = c.id);
ANALYZE chosen_charge
