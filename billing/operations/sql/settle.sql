-- The accounts take their outcomes.
UPDATE run_account a
SET outcome = o.outcome, reason = o.reason, held_for = o.held_for, invoice_id = o.invoice_id, record_count = o.record_count,
    exact_amount = o.exact_amount
FROM produced_account o
WHERE a.id = o.id
