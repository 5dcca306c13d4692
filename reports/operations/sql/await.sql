-- Usage reports of posted invoices wait to be made, by what is chosen for them now. A credit note for an invoice has no
-- usage of its own.
INSERT INTO report_production (invoice_id, profile_name, terms, state)
SELECT f.invoice_id, f.profile_name, jsonb_build_object(
  'customer_usage_reports', p.customer_usage_reports, 'site_usage_reports', p.site_usage_reports,
  'campaign_usage_reports', p.campaign_usage_reports, 'number_usage_reports', p.number_usage_reports,
  'include_transaction_columns', p.include_transaction_columns, 'include_call_columns', p.include_call_columns,
  'call_details', p.call_details, 'formats', p.formats, 'threshold_amount', trim_scale(p.threshold_amount)::text,
  'splits_by', p.splits_by, 'timezone', c.timezone, 'language', coalesce(nullif(i.language, ''), c.language),
  'masks_numbers', c.masks_numbers
), 'WAITING'
FROM ({profiles}) f
JOIN invoice_usage_report_profile p ON p.id = f.profile_id
JOIN invoice i ON i.id = f.invoice_id
JOIN customer c ON c.id = i.customer_id
WHERE i.state = 'POSTED' AND i.credited_invoice_id IS NULL
ORDER BY i.id
ON CONFLICT (invoice_id) DO NOTHING
