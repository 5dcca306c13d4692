-- The accounts to be produced, by themselves: what follows joins this table, whose size the planner knows. What it knows
-- of run_account may be out of date by a whole run.
CREATE TEMPORARY TABLE account ON COMMIT DROP AS
SELECT *, dense_rank() OVER (ORDER BY rate_card_ids) AS card_set
FROM run_account
WHERE id = ANY (%(account_ids)s);
ANALYZE account;
-- A minimum, a fee and an invoice of nothing are once for each period: another run may have billed it since this one was
-- commenced, while the account was held or had failed.
UPDATE account a SET minimum_rule = 'skip', wants_zero_invoice = false
WHERE (a.minimum_rule <> 'skip' OR a.wants_zero_invoice) AND EXISTS (
  SELECT FROM invoice i
  WHERE i.customer_id = a.customer_id AND i.period_end >= %(cutoff_date)s AND i.period_start < %(cutoff_date)s
    AND NOT i.is_manual
)
