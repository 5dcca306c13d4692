-- A draft credit note goes; what it was to take back stands again.
DELETE FROM credited_charge k USING invoice_line l WHERE l.id = k.line_id AND l.invoice_id = %(note_id)s;
DELETE FROM invoice_line WHERE invoice_id = %(note_id)s;
DELETE FROM invoice_tax WHERE invoice_id = %(note_id)s;
DELETE FROM invoice WHERE id = %(note_id)s
