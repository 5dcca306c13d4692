-- The charged usage of one chunk of customers, as it is rated. It waits for no run.
CREATE TEMPORARY TABLE taken ON COMMIT DROP AS
SELECT *
FROM (
  SELECT
    i.id AS account_id, i.card_set, c.customer_id, c.record_id, NULL::tid AS pending_row, NULL::xid8 AS posted_in,
    {use},
    NULL::date AS late_period
  FROM customer_chunk k
  JOIN charged c ON c.customer_id = k.customer_id
  JOIN charged_line l ON l.line_id = c.line_id
  JOIN account i ON i.id = l.account_id
  CROSS JOIN LATERAL (SELECT * FROM usage_data_record r WHERE r.id = c.record_id OFFSET 0) r
  WHERE k.chunk = %(chunk)s
) u
WHERE used_on >= %(month_from)s AND used_on < %(month_until)s
