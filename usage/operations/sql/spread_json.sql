-- The members of each line's JSON object, as columns. A line that is none keeps its text, and nothing else.
SELECT line_number, raw, coalesce(jsonb_typeof(j) = 'object', false) AS is_object, {json_columns}
FROM (
  SELECT line_number, raw, CASE
      -- Nested so deep that reading it would end the statement: no usage is.
      WHEN length(raw) >= 1000 AND length(raw) - length(translate(raw, '[{{', '')) >= 1000 THEN NULL
      WHEN pg_input_is_valid(raw, 'jsonb') THEN raw::jsonb
    END AS j
  FROM {lines}
  OFFSET 0
) l
