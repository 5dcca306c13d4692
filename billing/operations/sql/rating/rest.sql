-- A record that brings its own amount has no rate, even where there is one for its product. Others that nothing has priced
-- so far have none.
INSERT INTO rated
SELECT
  account_id, customer_id, record_id, pending_row, posted_in, product_id, region, usage_type_id, late_period, quantity,
  quantity, NULL, own_amount,
  hash_record_extended(
    ROW(account_id, product_id, region, usage_type_id, NULL::bigint, late_period, own_amount IS NULL), %(attempt)s
  )
FROM taken t
WHERE own_amount IS NOT NULL OR NOT EXISTS (SELECT FROM rated r WHERE r.record_id = t.record_id)
