-- The account that an invoice by hand is made for, as production has those of a run: the customer's terms of now, without a
-- minimum. Its period is from the first of the transactions on.
CREATE TEMPORARY TABLE account ON COMMIT DROP AS
SELECT 0::bigint AS id, c.id AS customer_id, r.id AS accounts_receivable_id, c.currency_id, u.minor_units, c.timezone,
  c.tax_rate_id, 0::numeric AS minimum_amount, 'skip' AS minimum_rule, NULL::numeric AS low_usage_fee,
  false AS wants_zero_invoice, '{}'::bigint[] AS rate_card_ids,
  least(%(invoice_date)s::date, (SELECT min(transaction_date) FROM transaction WHERE id = ANY (%(transaction_ids)s))) AS period_start,
  coalesce(%(message)s::text, m.text, '') AS message
FROM customer c
JOIN currency u ON u.code = c.currency_id
LEFT JOIN accounts_receivable r ON r.customer_id = c.id
LEFT JOIN customer_billing b ON b.customer_id = c.id
LEFT JOIN invoice_message m ON m.id = b.invoice_message_id
WHERE c.id = %(customer_id)s;
ANALYZE account
