-- In the place of the table, for the steps that follow: the customer's transactions that are on the month's bill, and the
-- recurring charges that are due. A name is looked for among what is temporary first.
CREATE TEMPORARY VIEW transaction AS
SELECT x.*
FROM (
  SELECT * FROM public.transaction WHERE customer_id = %(customer_id)s AND invoice_line_id IS NULL
  UNION ALL
  SELECT * FROM due_transaction
) x
WHERE %(since)s::date IS NULL OR coalesce(x.bill_date, x.transaction_date) >= %(since)s::date
