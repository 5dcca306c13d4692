-- The usage taken, priced: the one place where a record gets its amount. Runs and previews use it.
-- A record that no rate prices has no amount. `line_key` is what records on one line have in common: joined by that one
-- column, the planner knows what comes out; six columns it takes for independent, and would compare every record with
-- every line. Should two lines ever have the same key, the counts of charges.sql differ, and the next try hashes anew.
CREATE TEMPORARY TABLE rated ON COMMIT DROP AS
SELECT
  rated.*,
  hash_record_extended(
    ROW(account_id, product_id, region, usage_type_id, rate_id, late_period, amount IS NULL), %(attempt)s
  ) AS line_key
FROM (
  SELECT
    account_id, customer_id, record_id, pending_row, posted_in, product_id, region, usage_type_id, late_period,
    quantity,
    -- A record that brings its own amount has no rate, even where there is one for its product.
    CASE WHEN own_amount IS NULL THEN rate_id END AS rate_id,
    CASE
      WHEN own_amount IS NOT NULL THEN own_amount
      WHEN rounding_digits IS NOT NULL THEN tollbook_round_amount(exact, rounding_digits, rounding_mode)
      ELSE exact
    END AS amount
  FROM taken
  LEFT JOIN price USING (card_set, product_id, region, used_on)
  -- Exact to 18 decimals, rounded once, half away from zero: the price of one unit is not always a decimal fraction.
  CROSS JOIN LATERAL (
    SELECT CASE
      WHEN unit_size = 1 THEN round(quantity * unit_price, 18)
      ELSE sign(quantity * unit_price)
        * div(abs(quantity * unit_price) * 2000000000000000000 + unit_size, 2 * unit_size) * 0.000000000000000001
    END AS exact
  ) priced
) rated
