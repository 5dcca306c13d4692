-- Rows were numbered as if each were one line. Where some span lines inside quotes, the rows after them start later.
UPDATE {staging} s SET line_number = s.line_number + later.by
FROM (
  SELECT line_number, sum(breaks) OVER (ORDER BY line_number ROWS UNBOUNDED PRECEDING) - breaks AS by
  FROM (
    SELECT line_number, length(whole) - length(replace(whole, chr(10), '')) AS breaks
    FROM (SELECT line_number, {whole_text} AS whole FROM {staging}) t
  ) b
) later
WHERE later.line_number = s.line_number AND later.by > 0
