-- The charges that the lines of a credit note take back.
INSERT INTO credited_charge (charge_id, line_id)
SELECT c.charge_id, l.id
FROM chosen_charge c
JOIN invoice_line l ON l.credited_line_id = c.line_id AND l.invoice_id = %(note_id)s
