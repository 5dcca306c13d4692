-- What charges that depend on the usage of their month come to, by their rate and what was noted of the month with them.
CREATE TEMPORARY TABLE recounted ON COMMIT DROP AS
WITH tier AS (
  SELECT rate_id, array_agg(from_quantity ORDER BY from_quantity) AS froms, array_agg(unit_price ORDER BY from_quantity) AS prices,
    array_agg(before ORDER BY from_quantity) AS befores
  FROM (
    SELECT rate_id, from_quantity, unit_price,
      coalesce(sum(width * price) OVER (PARTITION BY rate_id ORDER BY from_quantity), 0) AS before
    FROM (
      SELECT rate_id, from_quantity, unit_price,
        from_quantity - lag(from_quantity) OVER steps AS width, lag(unit_price) OVER steps AS price
      FROM (
        SELECT id AS rate_id, 0::numeric AS from_quantity, unit_price
        FROM rate WHERE id IN (SELECT rate_id FROM charged WHERE counted_month IS NOT NULL)
        UNION ALL
        SELECT rate_id, from_quantity, unit_price
        FROM rate_tier WHERE rate_id IN (SELECT rate_id FROM charged WHERE counted_month IS NOT NULL)
      ) step
      WINDOW steps AS (PARTITION BY rate_id ORDER BY from_quantity)
    ) s
  ) t
  GROUP BY rate_id
)
SELECT record_id, {amount_after} - {amount_at_start} + credit * {rounded_fee} + correction AS amount
FROM (
  SELECT c.record_id, c.quantity_before AS before, sign(c.quantity) AS credit, c.correction,
    c.quantity_before + coalesce(c.billed_quantity, c.quantity) AS after, c.included_quantity AS included,
    r.pricing_model, r.unit_price, r.unit_size, r.connection_fee, r.rounding_digits, r.rounding_mode, t.froms, t.prices,
    t.befores, t.prices[greatest(1, (
      SELECT count(*) FROM unnest(t.froms) x WHERE x < greatest(0, abs(c.quantity_total) - c.included_quantity)
    ))] AS volume_price
  FROM charged c
  JOIN rate r ON r.id = c.rate_id
  JOIN tier t ON t.rate_id = c.rate_id
  WHERE c.counted_month IS NOT NULL
  OFFSET 0
) n
CROSS JOIN LATERAL (SELECT n.after AS quantity_after) q;
CREATE INDEX ON recounted (record_id)
