-- The charges of uses by plain rates: the one place where they get their amounts. Runs and previews use it.
INSERT INTO rated
SELECT
  account_id, customer_id, record_id, pending_row, posted_in, product_id, region, usage_type_id, late_period, quantity,
  CASE WHEN quantity < 0 THEN -billed ELSE billed END, rate_id,
  CASE WHEN quantity > 0 THEN charge WHEN quantity < 0 THEN -charge ELSE 0 END,
  hash_record_extended(ROW(account_id, product_id, region, usage_type_id, rate_id, late_period, false), %(attempt)s)
FROM (
  SELECT *,
    CASE
      WHEN rounding_digits IS NULL AND minimum_charge IS NULL AND maximum_charge IS NULL THEN exact + connection_fee
      ELSE least(greatest({rounded}, minimum_charge), maximum_charge)
    END AS charge
  FROM (
    SELECT f.*, {exact} AS exact
    FROM (SELECT f.*, {billed} AS billed FROM ({found}) f OFFSET 0) f
    {parted}
    OFFSET 0
  ) e
) c
