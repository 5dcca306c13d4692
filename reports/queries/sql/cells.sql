-- What a report is made of: for each of its files (`part`), groups and lines of the invoice, how many uses there are, what
-- they come to exactly, and which part of the line's amount that is. A line's amount is shared out among its cells by
-- largest remainder, so that rows, files and reports add up to the lines, to the minor unit.
CREATE TEMPORARY TABLE {cells} ON COMMIT DROP AS
WITH cell AS (
  SELECT {keys}, {listed} AS is_listed, l.unit, u.line_id, count(*) AS uses, sum(u.seconds) AS duration,
    sum(u.quantity) AS quantity, sum(u.billed_quantity) AS billed_quantity, sum(u.charge) AS charges
  {uses}
  GROUP BY {ordinals}
), floored AS (
  SELECT cell.*, l.amount * ('1e' || %(minor_units)s)::numeric AS line_units,
    cell.charges * ('1e' || %(minor_units)s)::numeric AS units, floor(cell.charges * ('1e' || %(minor_units)s)::numeric) AS whole_units
  FROM cell
  JOIN reported_line l ON l.id = cell.line_id
), ranked AS (
  SELECT *, line_units - sum(whole_units) OVER (PARTITION BY line_id) AS units_left,
    row_number() OVER (PARTITION BY line_id ORDER BY units - whole_units DESC, {names}, is_listed) AS turn
  FROM floored
)
SELECT {names}, is_listed, unit, line_id, uses, duration, quantity, billed_quantity, charges,
  (whole_units + CASE WHEN turn <= units_left THEN 1 ELSE 0 END) * ('1e-' || %(minor_units)s)::numeric AS amount
FROM ranked
