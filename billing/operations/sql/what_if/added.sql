-- What nothing would price has no revenue then.
INSERT INTO revenue
SELECT
  c.customer_id, c.product_id, count(*), sum(c.amount_before), coalesce(sum(c.amount), 0),
  count(*) FILTER (WHERE c.amount IS NULL), coalesce(sum(c.amount_before) FILTER (WHERE c.amount IS NULL), 0),
  min(c.record_id) FILTER (WHERE c.amount IS NULL)
FROM compared c
WHERE c.is_asked
GROUP BY c.customer_id, c.product_id
