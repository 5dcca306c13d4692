-- The members of each line's JSON object, as columns. A line that is none keeps its text, and nothing else.
SELECT line_number, raw, coalesce(jsonb_typeof(j) = 'object', false) AS is_object, {json_columns}
FROM (
  SELECT line_number, raw, CASE
      -- Nested so deep that reading it would end the statement: no usage is.
      WHEN length(raw) >= 1000 AND length(raw) - length(translate(raw, '[{{', '')) >= 1000 THEN NULL
      -- Nor is any number, outside texts, of thousands of digits, which jsonb would write out.
      WHEN raw ~ '[0-9][eE][+-]?[0-9]{{4}}'
        AND regexp_replace(raw, '"(?:[^"\\]|\\.)*"', '', 'g') ~ '[0-9][eE][+-]?[0-9]{{4}}' THEN NULL
      WHEN pg_input_is_valid(raw, 'jsonb') THEN raw::jsonb
    END AS j
  FROM {lines}
  OFFSET 0
) l
