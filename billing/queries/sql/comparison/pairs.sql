-- The documents of a run, each beside the customer's last posted one before: see billing.queries.comparison. What is
-- looked up is looked up row by row (OFFSET 0), for of a long history it is a small part.
SELECT a.id AS account_id, a.customer_id, a.outcome, a.held_for, a.currency_id, a.minor_units, i.id AS invoice_id,
  i.number, b.id AS before_id, b.number AS before_number, b.period_end AS before_end, o.rate_card_ids AS account_cards,
  coalesce(i.total_amount, 0) AS total, coalesce(b.total_amount, 0) AS total_before,
  coalesce(i.total_amount, 0) - coalesce(b.total_amount, 0) AS difference,
  coalesce(i.tax_amount, 0) - coalesce(b.tax_amount, 0) AS tax
FROM run_account a
JOIN billing_run r ON r.id = a.run_id
LEFT JOIN LATERAL (SELECT * FROM invoice i WHERE i.id = a.invoice_id OFFSET 0) i ON true
LEFT JOIN LATERAL (
  SELECT b.*
  FROM invoice b
  WHERE b.customer_id = a.customer_id AND b.currency_id = a.currency_id AND b.state = 'POSTED'
    AND b.credited_invoice_id IS NULL AND NOT b.is_manual
    AND b.period_end <= r.cutoff_date AND (i.id IS NULL OR (b.period_end, b.id) < (i.period_end, i.id))
  ORDER BY b.period_end DESC, b.id DESC LIMIT 1
) b ON true
LEFT JOIN LATERAL (SELECT o.rate_card_ids FROM run_account o WHERE o.invoice_id = b.id OFFSET 0) o ON true
WHERE a.run_id = %(run_id)s AND (%(currency)s::text IS NULL OR a.currency_id = %(currency)s)
  AND (i.id IS NOT NULL OR (a.outcome = 'nothingToBill' AND b.id IS NOT NULL))
