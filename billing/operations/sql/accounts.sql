-- The accounts to be produced, by themselves: what follows joins this table, whose size the planner knows. What it knows
-- of run_account may be out of date by a whole run.
CREATE TEMPORARY TABLE account ON COMMIT DROP AS
SELECT *, dense_rank() OVER (ORDER BY rate_card_ids) AS card_set
FROM run_account
WHERE id = ANY (%(account_ids)s);
ANALYZE account
