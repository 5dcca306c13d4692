-- Drafts give back all that is on them, as it was before: their usage is pending again in the place that it had
-- (`posted_in`), their transactions wait, what they used of credits is left again, and the documents are gone.
INSERT INTO pending_usage (record_id, customer_id, billing_effective_date, posted_in)
SELECT c.record_id, c.customer_id, r.billing_effective_date, c.posted_in
FROM invoice_line l
JOIN usage_charge c ON c.line_id = l.id
JOIN usage_data_record r ON r.id = c.record_id
WHERE l.invoice_id = ANY (%(invoice_ids)s);
DELETE FROM usage_charge c USING invoice_line l WHERE l.id = c.line_id AND l.invoice_id = ANY (%(invoice_ids)s);
UPDATE transaction x SET invoice_line_id = NULL
FROM invoice_line l WHERE l.id = x.invoice_line_id AND l.invoice_id = ANY (%(invoice_ids)s);
DELETE FROM credit_use u USING invoice_line l WHERE l.id = u.line_id AND l.invoice_id = ANY (%(invoice_ids)s);
DELETE FROM usage_report WHERE invoice_id = ANY (%(invoice_ids)s);
DELETE FROM invoice_report_profile WHERE invoice_id = ANY (%(invoice_ids)s);
DELETE FROM invoice_line WHERE invoice_id = ANY (%(invoice_ids)s);
DELETE FROM invoice_tax WHERE invoice_id = ANY (%(invoice_ids)s);
DELETE FROM invoice WHERE id = ANY (%(invoice_ids)s)
