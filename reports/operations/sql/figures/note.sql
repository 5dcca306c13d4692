INSERT INTO counted_invoice (invoice_id, customer_id, group_ids, counted_at)
SELECT DISTINCT ON (invoice_id) invoice_id, customer_id, group_ids, %(at)s FROM counting ORDER BY invoice_id
ON CONFLICT (invoice_id) DO UPDATE SET group_ids = EXCLUDED.group_ids, counted_at = EXCLUDED.counted_at
