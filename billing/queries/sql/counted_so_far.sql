-- What is charged so far in one count (of a customer, a version of a rate, a month, and what counts together): the
-- quantity, the amount with its fees, and how many uses had a fee, credited ones less. Charges that were taken back are
-- as good as not made.
SELECT
  coalesce(sum(coalesce(c.billed_quantity, c.quantity)), 0),
  coalesce(sum(c.amount), 0),
  coalesce(sum(sign(coalesce(c.billed_quantity, c.quantity))), 0)
FROM usage_charge c
WHERE c.customer_id = %(customer_id)s
  AND c.rate_id = %(rate_id)s
  AND c.counted_month = %(counted_month)s
  AND c.counted_id = %(counted_id)s
  AND NOT EXISTS (SELECT FROM transaction x WHERE x.reversed_charge_id = c.id)
