-- Usage whose price depends on how much there was in its month: counted for each customer, rate and month, over the
-- customer, its subscription or its service. A record costs what the month's usage costs with it less what it costs
-- without, each rounded as the rate says; so the charges of a month add up to the price of their sum, in any order. What
-- earlier charges, less those taken back, differ from the price of what they counted is the correction of the first.
ANALYZE found (record_id, rate_id, service_id, is_counted);
CREATE TEMPORARY TABLE counted ON COMMIT DROP AS
SELECT f.*, c.*, CASE WHEN f.quantity < 0 THEN -f.billed ELSE f.billed END AS signed
FROM (SELECT f.*, {billed} AS billed FROM found f WHERE is_counted OFFSET 0) f
JOIN LATERAL (
  SELECT date_trunc('month', f.used_on)::date AS month,
    CASE t.counted_per WHEN 'service' THEN s.id WHEN 'subscription' THEN s.subscription_id ELSE 0 END AS counter,
    t.pricing_model, t.included_quantity AS included_whole,
    CASE WHEN p.is_prorated THEN CASE t.counted_per WHEN 'service' THEN s.start_date WHEN 'subscription' THEN b.start_date END END
      AS begins
  FROM rate t
  JOIN product p ON p.id = t.product_id
  JOIN subscription_service s ON s.id = f.service_id
  JOIN subscription b ON b.id = s.subscription_id
  WHERE t.id = f.rate_id
) c ON true;
ANALYZE counted (account_id, rate_id, month, counter);
CREATE TEMPORARY TABLE counter ON COMMIT DROP AS
WITH counter AS (
  SELECT
    row_number() OVER () AS counter_id, customer_id, rate_id, month, counter, min(pricing_model) AS pricing_model,
    min(unit_price) AS unit_price, min(unit_size) AS unit_size, min(connection_fee) AS connection_fee,
    min(rounding_digits) AS rounding_digits, min(rounding_mode) AS rounding_mode, sum(signed) AS new_quantity,
    min(included_whole) AS included_whole, min(begins) AS begins
  FROM counted GROUP BY customer_id, rate_id, month, counter
), charged AS (
  SELECT x.counter_id, sum(x.billed) AS quantity, sum(x.amount) AS amount, sum(sign(x.billed)) AS fee_count
  FROM (
    SELECT n.counter_id, x.id, coalesce(x.billed_quantity, x.quantity) AS billed, x.amount
    FROM counter n
    JOIN usage_charge x ON x.customer_id = n.customer_id AND x.rate_id = n.rate_id AND x.counted_month = n.month
      AND x.counted_id = n.counter
    WHERE NOT EXISTS (
      SELECT FROM price_correction k WHERE k.charge_id = x.id AND tollbook_seen(k.created_in, %(snapshot)s::pg_snapshot)
    )
    UNION ALL
    -- Once its price was corrected, a charge counts as its last correction says, where that says. A run that was commenced
    -- before sees neither the new price nor the correction.
    SELECT n.counter_id, k.charge_id, k.billed_quantity, k.amount
    FROM counter n
    JOIN price_correction k ON k.customer_id = n.customer_id AND k.rate_id = n.rate_id AND k.counted_month = n.month
      AND k.counted_id = n.counter
    WHERE tollbook_seen(k.created_in, %(snapshot)s::pg_snapshot) AND NOT EXISTS (
      SELECT FROM price_correction l
      WHERE l.charge_id = k.charge_id AND l.turn > k.turn AND tollbook_seen(l.created_in, %(snapshot)s::pg_snapshot)
    )
  ) x
  WHERE NOT %(is_afresh)s AND NOT EXISTS (SELECT FROM transaction t WHERE t.reversed_charge_id = x.id)
    -- What was credited counts as used, unless its usage was given back.
    AND NOT EXISTS (
      SELECT FROM credited_charge k
      JOIN usage_charge c ON c.id = k.charge_id
      JOIN usage_data_record r ON r.id = c.record_id
      WHERE k.charge_id = x.id AND r.life_cycle_state = 'CANCELLED'
    )
  GROUP BY x.counter_id
), tier AS (
  SELECT rate_id, array_agg(from_quantity ORDER BY from_quantity) AS froms, array_agg(unit_price ORDER BY from_quantity) AS prices,
    array_agg(before ORDER BY from_quantity) AS befores
  FROM (
    -- What the steps below each step come to.
    SELECT rate_id, from_quantity, unit_price,
      coalesce(sum(width * price) OVER (PARTITION BY rate_id ORDER BY from_quantity), 0) AS before
    FROM (
      SELECT rate_id, from_quantity, unit_price,
        from_quantity - lag(from_quantity) OVER steps AS width, lag(unit_price) OVER steps AS price
      FROM (
        SELECT DISTINCT rate_id, 0::numeric AS from_quantity, unit_price FROM counter
        UNION ALL
        SELECT rate_id, from_quantity, unit_price FROM rate_tier WHERE rate_id IN (SELECT rate_id FROM counter)
      ) step
      WINDOW steps AS (PARTITION BY rate_id ORDER BY from_quantity)
    ) s
  ) t
  GROUP BY rate_id
)
SELECT n.*, {amount_at_start} AS amount_at_start
FROM (
SELECT
  n.*, i.included, t.froms, t.prices, t.befores, coalesce(c.quantity, 0) AS before, coalesce(c.quantity, 0) + new_quantity AS total,
  coalesce(c.amount, 0) - coalesce(c.fee_count, 0) * {rounded_fee} AS charged,
  {rounded_fee} AS fee,
  -- By volume the price is that of the last step that begins below the month's quantity.
  t.prices[greatest(1, (
    SELECT count(*) FROM unnest(t.froms) x
    WHERE x < greatest(0, abs(coalesce(c.quantity, 0) + new_quantity) - i.included)
  ))] AS volume_price
FROM counter n
LEFT JOIN charged c USING (counter_id)
LEFT JOIN tier t USING (rate_id)
CROSS JOIN LATERAL (
  SELECT date_part('day', n.month + interval '1 month - 1 day')::integer AS days
) d
CROSS JOIN LATERAL (
  SELECT CASE
    WHEN n.begins > n.month AND n.begins <= n.month + d.days - 1 THEN {prorated}
    ELSE n.included_whole
  END AS included
) i
OFFSET 0
) n;
ANALYZE counter (counter_id, customer_id, rate_id, month, counter);
INSERT INTO rated (
  account_id, customer_id, record_id, pending_row, posted_in, product_id, region, usage_type_id, late_period, quantity,
  billed_quantity, rate_id, amount, counted_month, counted_id, quantity_before, quantity_total, included_quantity,
  correction, line_key
)
SELECT
  account_id, customer_id, record_id, pending_row, posted_in, product_id, region, usage_type_id, late_period, quantity, signed,
  rate_id, amount_after - amount_before + sign(quantity) * fee + correction, month, counter, quantity_before, total,
  included, correction,
  hash_record_extended(ROW(account_id, product_id, region, usage_type_id, rate_id, late_period, false), %(attempt)s)
FROM (
  SELECT p.*,
    lag(amount_after, 1, amount_at_start) OVER turns AS amount_before,
    CASE WHEN row_number() OVER turns = 1 THEN amount_at_start - charged ELSE 0 END AS correction
  FROM (
    SELECT q.*, {amount_after} AS amount_after
    FROM (
      SELECT
        u.account_id, u.customer_id, u.record_id, u.pending_row, u.posted_in, u.product_id, u.region, u.usage_type_id,
        u.late_period, u.quantity, u.signed, u.rate_id, u.month, u.counter, u.moment, n.counter_id, n.pricing_model,
        n.unit_price, n.unit_size, n.rounding_digits, n.rounding_mode, n.fee, n.charged, n.total, n.included,
        n.froms, n.prices, n.befores, n.volume_price, n.amount_at_start,
        n.before + sum(u.signed) OVER turns - u.signed AS quantity_before,
        n.before + sum(u.signed) OVER turns AS quantity_after
      FROM counted u
      JOIN counter n USING (customer_id, rate_id, month, counter)
      WINDOW turns AS (PARTITION BY n.counter_id ORDER BY u.moment, u.record_id ROWS UNBOUNDED PRECEDING)
      OFFSET 0
    ) q
    OFFSET 0
  ) p
  WINDOW turns AS (PARTITION BY counter_id ORDER BY moment, record_id)
) c
