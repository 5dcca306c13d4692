-- The accounts of one chunk of documents, and what they were charged for, as it is rated. It waits for no run.
CREATE TEMPORARY TABLE account ON COMMIT DROP AS
SELECT a.*, d.turn, dense_rank() OVER (ORDER BY a.rate_card_ids) AS card_set
FROM document d
JOIN run_account a ON a.id = d.account_id
WHERE d.chunk = %(chunk)s;
ANALYZE account;
CREATE TEMPORARY TABLE charged ON COMMIT DROP AS
SELECT i.turn, i.id AS account_id, l.line_number, l.product_id, l.region, c.*
FROM account i
CROSS JOIN LATERAL (
  SELECT l.id, l.line_number, l.product_id, l.region
  FROM invoice_line l
  WHERE l.invoice_id = i.invoice_id OFFSET 0
) l
CROSS JOIN LATERAL (SELECT * FROM usage_charge c WHERE c.line_id = l.id OFFSET 0) c
ORDER BY c.record_id;
CREATE INDEX ON charged (record_id);
ANALYZE charged;
CREATE TEMPORARY TABLE taken ON COMMIT DROP AS
SELECT i.id AS account_id, i.card_set, r.customer_id, r.id AS record_id, NULL::tid AS pending_row, NULL::xid8 AS posted_in,
  {use}, NULL::date AS late_period
FROM charged c
JOIN account i ON i.id = c.account_id
CROSS JOIN LATERAL (SELECT * FROM usage_data_record r WHERE r.id = c.record_id OFFSET 0) r
