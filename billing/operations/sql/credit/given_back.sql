-- The records whose charges a credit note takes back.
CREATE TEMPORARY TABLE given_back ON COMMIT DROP AS
SELECT c.record_id
FROM invoice_line l
JOIN credited_charge k ON k.line_id = l.id
JOIN usage_charge c ON c.id = k.charge_id
WHERE l.invoice_id = %(note_id)s;
ANALYZE given_back
