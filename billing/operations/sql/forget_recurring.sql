-- The transactions that a run made of recurring charges, which no document has and no later period follows. Those of
-- customers that were split off into a run of their own are that run's; those of customers that wait in another run stay,
-- for it has them in what it has frozen.
DELETE FROM transaction x
USING billing_run run
WHERE run.id = %(run_id)s
  AND x.created_in = run.commenced_in AND x.recurring_charge_id IS NOT NULL AND x.invoice_line_id IS NULL
  AND NOT EXISTS (
    SELECT FROM transaction later
    WHERE later.recurring_charge_id = x.recurring_charge_id AND later.period_start > x.period_start
      AND (later.created_in <> x.created_in OR later.invoice_line_id IS NOT NULL)
  )
  AND NOT EXISTS (
    SELECT FROM run_account a JOIN billing_run other ON other.id = a.run_id
    WHERE a.customer_id = x.customer_id AND other.id <> run.id
      AND (a.outcome = 'waiting' OR other.commenced_in = run.commenced_in)
  )
