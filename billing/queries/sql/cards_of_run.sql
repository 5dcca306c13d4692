-- The rate cards that customers of a run are priced by who have pending usage before its cutoff: their own, their groups',
-- the default of their currency; those in their currency (as in operations/sql/commence.sql). Of each customer one row of
-- the inbox is looked for: the inbox may be large.
WITH customer_of_run AS MATERIALIZED (
  SELECT c.id, c.currency_id
  FROM customer c
  LEFT JOIN customer_billing b ON b.customer_id = c.id
  LEFT JOIN billing_cycle y ON y.id = b.billing_cycle_id
  WHERE coalesce(y.subrun, '') = %(subrun)s
    AND EXISTS (
      SELECT FROM pending_usage p WHERE p.customer_id = c.id AND p.billing_effective_date < %(cutoff_date)s
    )
)
SELECT DISTINCT r.id
FROM (
  SELECT c.currency_id, o.rate_card_id FROM customer_of_run c JOIN customer_rate_card o ON o.customer_id = c.id
  UNION
  SELECT c.currency_id, g.rate_card_id
  FROM customer_of_run c
  JOIN customer_group_member m ON m.customer_id = c.id
  JOIN customer_group_rate_card g ON g.group_id = m.customergroup_id
  UNION
  SELECT d.currency_id, d.id FROM rate_card d WHERE d.is_default AND d.currency_id IN (SELECT currency_id FROM customer_of_run)
) listed
JOIN rate_card r ON r.id = listed.rate_card_id AND r.currency_id = listed.currency_id
ORDER BY r.id
