-- Each row as an array of its texts, with the line of the file that it starts in. Rows were numbered as if each were one
-- line: those after one that spans lines start later. Rows without any text, such as spreadsheets leave behind, are none.
CREATE TEMPORARY TABLE deck_staging AS
SELECT line_number, raw_text
FROM (
  SELECT
    (line_number + sum(breaks) OVER (ORDER BY line_number ROWS UNBOUNDED PRECEDING) - breaks)::integer AS line_number,
    to_jsonb(ARRAY[{texts}])::text AS raw_text, whole
  FROM (
    SELECT *, length(whole) - length(replace(whole, chr(10), '')) AS breaks
    FROM (SELECT *, {whole} AS whole FROM deck_rows) r
  ) b
) n
WHERE btrim(whole, E' \t\r\n') <> ''
