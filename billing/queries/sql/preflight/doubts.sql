-- The groups of which not all usage is surely priced: on some day between the first and the last use no rate of the cards
-- holds at every hour for all destinations that begin so. What is left of them is looked at record by record.
CREATE TEMPORARY TABLE preflight_left ON COMMIT DROP AS
WITH kind AS MATERIALIZED (
  SELECT DISTINCT kind, timezone, rate_card_ids FROM preflight_customer
), asked AS MATERIALIZED (
  SELECT g.id, g.product_id, g.region, card.id AS rate_card_id, left(d.digits, n.length) AS prefix
  FROM preflight_group g
  JOIN kind k USING (kind)
  CROSS JOIN LATERAL (SELECT substring(g.head FROM '^[0-9]*') AS digits) d
  CROSS JOIN LATERAL generate_series(0, length(d.digits)) AS n (length)
  CROSS JOIN LATERAL unnest(k.rate_card_ids) AS card (id)
), priced AS MATERIALIZED (
  SELECT a.id, range_agg(w.days) AS days
  FROM asked a
  JOIN preflight_rate w
    ON w.rate_card_id = a.rate_card_id AND w.product_id = a.product_id AND w.prefix = a.prefix
    AND w.region IN (a.region, '')
  GROUP BY a.id
)
SELECT g.kind, g.product_id, g.region, g.head
FROM preflight_group g
JOIN kind k USING (kind)
LEFT JOIN priced p ON p.id = g.id
WHERE NOT coalesce(
  p.days @> daterange((g.first AT TIME ZONE k.timezone)::date, (g.last AT TIME ZONE k.timezone)::date, '[]'), false
);
DROP TABLE IF EXISTS preflight_doubt;
ALTER TABLE preflight_left RENAME TO preflight_doubt;
ANALYZE preflight_doubt;
DROP TABLE preflight_group, preflight_rate
