-- Rows were numbered as if each were one line. Where some span lines inside quotes, the rows after them start later.
-- A new table, not an update: what follows reads the rows in the order in which they lie.
CREATE UNLOGGED TABLE {staging}_numbered WITH (autovacuum_enabled = off) AS
SELECT line_number + (sum(breaks) OVER (ORDER BY line_number ROWS UNBOUNDED PRECEDING) - breaks)::integer AS line_number,
  {columns}
FROM (
  SELECT *, length(whole) - length(replace(whole, chr(10), '')) AS breaks
  FROM (SELECT *, {whole_text} AS whole FROM {staging}) t
) b
ORDER BY line_number;
DROP TABLE {staging};
ALTER TABLE {staging}_numbered RENAME TO {staging}
