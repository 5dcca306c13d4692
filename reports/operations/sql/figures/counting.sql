-- Documents to be counted, each for all customers (no group) and for the groups of its customer: once more (1), or out
-- of a group that the customer has left (-1). Those that were never counted first.
CREATE TEMPORARY TABLE counting ON COMMIT DROP AS
WITH member AS (
  SELECT m.customer_id, array_agg(m.customergroup_id ORDER BY m.customergroup_id) AS group_ids
  FROM customer_group_member m GROUP BY m.customer_id
), uncounted AS MATERIALIZED (
  SELECT i.id AS invoice_id, i.customer_id, coalesce(m.group_ids, '{}') AS group_ids
  FROM invoice i
  LEFT JOIN member m ON m.customer_id = i.customer_id
  WHERE i.state = 'POSTED' AND NOT EXISTS (SELECT FROM counted_invoice c WHERE c.invoice_id = i.id)
  ORDER BY i.id LIMIT %(limit)s
), moved AS MATERIALIZED (
  SELECT c.invoice_id, c.customer_id, coalesce(m.group_ids, '{}') AS group_ids, c.group_ids AS group_ids_before
  FROM counted_invoice c
  LEFT JOIN member m ON m.customer_id = c.customer_id
  WHERE coalesce(m.group_ids, '{}') <> c.group_ids
  ORDER BY c.invoice_id LIMIT %(limit)s
)
SELECT invoice_id, customer_id, group_ids, NULL::bigint AS group_id, 1 AS sign FROM uncounted
UNION ALL
SELECT invoice_id, customer_id, group_ids, unnest(group_ids), 1 FROM uncounted
UNION ALL
SELECT invoice_id, customer_id, group_ids, g.id, CASE WHEN g.id = ANY (group_ids) THEN 1 ELSE -1 END
FROM moved JOIN customer_group g ON (g.id = ANY (group_ids)) <> (g.id = ANY (group_ids_before))
UNION ALL
-- A group that is gone took its figures with it: only the note of it goes.
SELECT invoice_id, customer_id, group_ids, NULL, 0 FROM moved
