-- The posted documents of a run in the order of their numbers, in chunks of about so many charges that were priced as of
-- one moment; and what is found to differ.
CREATE TEMPORARY TABLE document ON COMMIT DROP AS
SELECT d.*, dense_rank() OVER (ORDER BY price_snapshot, part) AS chunk
FROM (
  SELECT i.id AS invoice_id, i.number, row_number() OVER (ORDER BY i.number COLLATE "C") AS turn, i.content_version,
    a.id AS account_id, coalesce(nullif(a.price_snapshot, ''), b.snapshot) AS price_snapshot,
    div(sum(c.charge_count + 1) OVER (
      PARTITION BY a.price_snapshot ORDER BY i.number COLLATE "C"
    ) - c.charge_count - 1, %(charges_at_once)s) AS part
  FROM run_account a
  JOIN billing_run b ON b.id = a.run_id
  JOIN invoice i ON i.id = a.invoice_id AND i.state = 'POSTED'
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(l.charge_count), 0) AS charge_count FROM invoice_line l WHERE l.invoice_id = i.id
  ) c
  WHERE a.run_id = %(run_id)s
) d;
ANALYZE document;
CREATE TEMPORARY TABLE difference (
  turn bigint, rank integer, place text, field text, stored text, recomputed text
) ON COMMIT DROP
