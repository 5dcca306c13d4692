-- The members of each line's JSON object, as columns. A line that is none keeps its text, and nothing else.
SELECT line_number, raw, coalesce(jsonb_typeof(j) = 'object', false) AS is_object, {json_columns}
FROM (
  SELECT line_number, raw, CASE WHEN pg_input_is_valid(raw, 'jsonb') THEN raw::jsonb END AS j
  FROM {lines}
  OFFSET 0
) l
