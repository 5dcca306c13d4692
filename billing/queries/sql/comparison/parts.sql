-- What makes the differences of the pairs: see billing.queries.comparison. The page is cut before lines are looked at.
WITH pair AS (
{pairs}), page AS MATERIALIZED (
  SELECT * FROM pair p
  WHERE %(after_id)s::bigint IS NULL OR (-abs(p.difference), p.account_id) > (
    SELECT -abs(a.difference), a.account_id FROM pair a WHERE a.account_id = %(after_id)s
  )
  ORDER BY abs(p.difference) DESC, p.account_id LIMIT %(limit)s
), line AS MATERIALIZED (
  SELECT p.account_id, p.before_end, p.account_cards, true AS is_now, l.*
  FROM page p CROSS JOIN LATERAL (SELECT * FROM invoice_line l WHERE l.invoice_id = p.invoice_id OFFSET 0) l
  UNION ALL
  SELECT p.account_id, p.before_end, p.account_cards, false, l.*
  FROM page p CROSS JOIN LATERAL (SELECT * FROM invoice_line l WHERE l.invoice_id = p.before_id OFFSET 0) l
), by_rule AS (
  -- Versions of one rule are one price: the same list, region, prefix and time band.
  SELECT l.account_id, l.product_id, l.region, l.usage_type,
    coalesce(sum(l.quantity) FILTER (WHERE is_now), 0) AS quantity,
    coalesce(sum(l.quantity) FILTER (WHERE NOT is_now), 0) AS quantity_before,
    coalesce(sum(l.amount) FILTER (WHERE is_now), 0) AS amount,
    coalesce(sum(l.amount) FILTER (WHERE NOT is_now), 0) AS amount_before,
    count(*) FILTER (WHERE is_now) AS lines, count(*) FILTER (WHERE NOT is_now) AS lines_before,
    bool_and(r.start_date < l.before_end AND r.rate_card_id = ANY (l.account_cards)) FILTER (WHERE is_now) AS was_listed
  FROM line l
  LEFT JOIN LATERAL (SELECT * FROM rate r WHERE r.id = l.rate_id OFFSET 0) r ON true
  WHERE l.kind = 'USAGE'
  GROUP BY l.account_id, l.product_id, l.region, l.usage_type, r.rate_card_id, r.region, r.destination_prefix, r.time_band_id
), by_use AS (
  SELECT account_id, sum(quantity) AS quantity, sum(quantity_before) AS quantity_before, sum(amount) AS amount,
    sum(amount_before) AS amount_before, sum(lines) > 0 AND sum(lines_before) > 0 AS has_both,
    -- What was used now would have come to, by the unit prices before; where there was none, by the average of all.
    coalesce(sum(quantity * amount_before / nullif(quantity_before, 0)) FILTER (WHERE quantity_before <> 0), 0)
      + coalesce(sum(amount) FILTER (WHERE quantity_before = 0 AND was_listed), 0) AS amount_at_old_prices,
    coalesce(sum(quantity) FILTER (WHERE quantity_before = 0 AND was_listed IS NOT TRUE), 0) AS quantity_of_average
  FROM by_rule GROUP BY account_id, product_id, region, usage_type
), split AS (
  SELECT account_id,
    CASE
      WHEN has_both AND quantity_before <> 0
        THEN quantity * amount_before / quantity_before - amount_before
      WHEN has_both AND quantity = 0 THEN 0
      ELSE amount - amount_before
    END AS volume,
    CASE WHEN has_both AND quantity_before <> 0
      THEN amount_at_old_prices + (quantity_of_average - quantity) * amount_before / quantity_before
      ELSE 0
    END AS mix,
    amount - amount_before AS usage
  FROM by_use
), parts AS (
  SELECT p.account_id, coalesce(s.usage, 0) AS usage, coalesce(o.one_off, 0) AS one_off,
    round(coalesce(s.volume, 0), p.minor_units) AS volume, round(coalesce(s.mix, 0), p.minor_units) AS mix,
    round(coalesce(s.usage - s.volume - s.mix, 0), p.minor_units) AS price
  FROM page p
  LEFT JOIN (
    SELECT account_id, sum(usage) AS usage, sum(volume) AS volume, sum(mix) AS mix FROM split GROUP BY account_id
  ) s USING (account_id)
  LEFT JOIN (
    SELECT account_id, sum(CASE WHEN is_now THEN amount ELSE -amount END) AS one_off
    FROM line WHERE kind <> 'USAGE' GROUP BY account_id
  ) o USING (account_id)
), largest AS (
  SELECT *, usage - volume - price - mix AS left_over, CASE
    WHEN abs(volume) >= abs(price) AND abs(volume) >= abs(mix) THEN 'volume'
    WHEN abs(price) >= abs(mix) THEN 'price'
    ELSE 'mix'
  END AS largest
  FROM parts
)
SELECT p.account_id, p.customer_id, c.account_number, c.name AS customer_name, p.outcome, p.held_for, p.currency_id,
  p.minor_units, p.invoice_id, coalesce(p.number, '') AS number, p.before_id, coalesce(p.before_number, '') AS before_number,
  p.total, p.total_before, p.difference,
  g.volume + CASE g.largest WHEN 'volume' THEN g.left_over ELSE 0 END AS volume,
  g.price + CASE g.largest WHEN 'price' THEN g.left_over ELSE 0 END AS price,
  g.mix + CASE g.largest WHEN 'mix' THEN g.left_over ELSE 0 END AS mix, g.one_off, p.tax
FROM page p
JOIN largest g USING (account_id)
CROSS JOIN LATERAL (SELECT c.account_number, c.name FROM customer c WHERE c.id = p.customer_id OFFSET 0) c
ORDER BY abs(p.difference) DESC, p.account_id
