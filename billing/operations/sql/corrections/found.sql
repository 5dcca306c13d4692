-- Where all is rated by what it was charged by, no price was corrected: usage that was counted in another order, or beside
-- usage that was taken back since, settles in the customer's next run.
-- What counts with the usage of a month, before or now, is found in the whole of its months: corrected in part, a month
-- would be counted by two rates, each from nothing on.
INSERT INTO difference
SELECT customer_id, record_id, charge_id, turn, invoice_id, number, currency_id, product_id, tax_rate_id, used_on,
  amount_before, rate_id, amount, billed_quantity, counted_month, counted_id, amount IS NOT DISTINCT FROM amount_before
FROM compared
WHERE (is_asked OR counted_before IS NOT NULL OR counted_month IS NOT NULL)
  -- What a credit note has taken back, a draft too, stays as it was charged, and counts as it did.
  AND NOT EXISTS (SELECT FROM credited_charge k WHERE k.charge_id = compared.charge_id)
  AND (%(invoice_ids)s::bigint[] IS NULL OR invoice_id = ANY (%(invoice_ids)s))
  AND CASE
    WHEN amount IS NULL THEN true
    WHEN amount <> amount_before THEN counted_month IS NULL OR has_other_rates
    -- One that is not counted any more leaves the count that it was in.
    ELSE (counted_before IS NOT NULL OR counted_month IS NOT NULL) AND rate_id IS DISTINCT FROM rate_before
  END
