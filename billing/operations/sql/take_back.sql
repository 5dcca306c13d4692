-- A draft gives back all that is on it, as it was before: its usage is pending again in the place that it had
-- (`posted_in`), its transactions wait, and the document is gone. Its account waits to be produced again.
INSERT INTO pending_usage (record_id, customer_id, billing_effective_date, posted_in)
SELECT c.record_id, c.customer_id, r.billing_effective_date, c.posted_in
FROM invoice_line l
JOIN usage_charge c ON c.line_id = l.id
JOIN usage_data_record r ON r.id = c.record_id
WHERE l.invoice_id = %(invoice_id)s;
DELETE FROM usage_charge c USING invoice_line l WHERE l.id = c.line_id AND l.invoice_id = %(invoice_id)s;
UPDATE transaction x SET invoice_line_id = NULL
FROM invoice_line l WHERE l.id = x.invoice_line_id AND l.invoice_id = %(invoice_id)s;
DELETE FROM usage_report WHERE invoice_id = %(invoice_id)s;
DELETE FROM invoice_line WHERE invoice_id = %(invoice_id)s;
DELETE FROM invoice_tax WHERE invoice_id = %(invoice_id)s;
DELETE FROM invoice WHERE id = %(invoice_id)s
