-- Rows of the destinations that cost most, and of all others together as the last.
WITH ranked AS (
  SELECT {whose} destination_name, least(%(top)s + 1, row_number() OVER (
    {partition} ORDER BY sum(charges) DESC, sum(uses) DESC, destination_name
  )) AS place
  FROM {cells}
  WHERE part = %(part)s
  GROUP BY {whose} destination_name
)
SELECT {whose} CASE WHEN place <= %(top)s THEN {cells}.destination_name ELSE %(others)s END AS destination_name,
  sum(uses)::bigint AS uses, sum(duration) AS duration, sum(quantity) AS quantity, sum(billed_quantity) AS billed_quantity, unit,
  sum(charges) AS charges, sum(amount) AS amount
FROM {cells}
JOIN ranked USING ({whose} destination_name)
WHERE part = %(part)s
GROUP BY {whose} place, CASE WHEN place <= %(top)s THEN {cells}.destination_name ELSE %(others)s END, unit
ORDER BY {whose} place, unit COLLATE "C"
