-- The periods of recurring charges that fall due (queries/sql/due_recurring.sql), as transactions: each period once,
-- whatever runs at the same time.
WITH {due}
INSERT INTO {table} (
  customer_id, kind, product_id, description, quantity, unit_price, currency_id, tax_rate_id, transaction_date,
  recurring_charge_id, period_start, period_end
)
SELECT
  customer_id, 'RECURRING', product_id,
  description || ' (' || period_start || ' to ' || period_end - 1
    || CASE WHEN is_prorated AND days < days_of_whole THEN ', ' || days || ' of ' || days_of_whole || ' days' ELSE '' END
    || ')',
  quantity,
  -- The exact quotient, rounded once, half away from zero: `/` would round to digits of its own choice first.
  CASE WHEN is_prorated AND days < days_of_whole
    THEN sign(unit_price) * div(2e18 * abs(unit_price) * days + days_of_whole, 2 * days_of_whole) * 1e-18
    ELSE unit_price END,
  currency_id, tax_rate_id, due_on, id, period_start, period_end
FROM due
-- In one order, so that two runs wait for each other's and not each for the other.
ORDER BY id, period_start
ON CONFLICT (recurring_charge_id, period_start) WHERE recurring_charge_id IS NOT NULL DO NOTHING
