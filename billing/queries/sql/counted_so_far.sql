-- What is charged so far in one count (of a customer, a version of a rate, a month, and what counts together): the
-- quantity, the amount with its fees, and how many uses had a fee, credited ones less. Charges that were taken back are
-- as good as not made; those whose price was corrected count as their last correction says.
SELECT coalesce(sum(c.billed), 0), coalesce(sum(c.amount), 0), coalesce(sum(sign(c.billed)), 0)
FROM (
  SELECT c.id, coalesce(c.billed_quantity, c.quantity) AS billed, c.amount
  FROM usage_charge c
  WHERE c.customer_id = %(customer_id)s
    AND c.rate_id = %(rate_id)s
    AND c.counted_month = %(counted_month)s
    AND c.counted_id = %(counted_id)s
    AND NOT EXISTS (SELECT FROM price_correction k WHERE k.charge_id = c.id)
  UNION ALL
  SELECT k.charge_id, k.billed_quantity, k.amount
  FROM price_correction k
  WHERE k.customer_id = %(customer_id)s
    AND k.rate_id = %(rate_id)s
    AND k.counted_month = %(counted_month)s
    AND k.counted_id = %(counted_id)s
    AND NOT EXISTS (SELECT FROM price_correction l WHERE l.charge_id = k.charge_id AND l.turn > k.turn)
) c
WHERE NOT EXISTS (SELECT FROM transaction x WHERE x.reversed_charge_id = c.id)
  -- What was credited counts as used, unless its usage was given back.
  AND NOT EXISTS (
    SELECT FROM credited_charge k
    JOIN usage_charge g ON g.id = k.charge_id
    JOIN usage_data_record r ON r.id = g.record_id
    WHERE k.charge_id = c.id AND r.life_cycle_state = 'CANCELLED'
  )
