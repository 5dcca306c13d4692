-- Rows of a table of groups.
SELECT {names}, sum(uses)::bigint AS uses, sum(duration) AS duration, sum(quantity) AS quantity,
  sum(billed_quantity) AS billed_quantity, unit, sum(charges) AS charges, sum(amount) AS amount
FROM {cells}
WHERE part = %(part)s
GROUP BY {names}, unit
ORDER BY {names}, unit COLLATE "C"
