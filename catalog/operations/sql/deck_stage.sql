-- Each row as an array of its texts, with the line of the file that it starts in. Rows were numbered as if each were one
-- line: those after one that spans lines start later.
CREATE TEMPORARY TABLE deck_staging AS
SELECT
  (line_number + sum(breaks) OVER (ORDER BY line_number ROWS UNBOUNDED PRECEDING) - breaks)::integer AS line_number,
  to_jsonb(ARRAY[{texts}])::text AS raw_text
FROM (SELECT *, length({whole}) - length(replace({whole}, chr(10), '')) AS breaks FROM deck_rows) b
