-- Where a report does not add up: lines of the invoice that it has not all the uses of, or comes to something else for.
SELECT l.line_number, l.product_name, l.charge_count, l.exact_amount, l.amount, coalesce(c.uses, 0), coalesce(c.charges, 0),
  coalesce(c.amount, 0)
FROM {lines} l
LEFT JOIN (
  SELECT line_id, sum(uses)::bigint AS uses, sum(charges) AS charges, sum(amount) AS amount FROM {cells} GROUP BY line_id
) c ON c.line_id = l.id
WHERE (l.charge_count, l.exact_amount, l.amount) IS DISTINCT FROM (coalesce(c.uses, 0), coalesce(c.charges, 0), coalesce(c.amount, 0))
ORDER BY l.line_number
