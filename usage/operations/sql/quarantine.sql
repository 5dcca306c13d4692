-- Faulty rows, with the sentence that says what is wrong and the row as CSV.
INSERT INTO quarantined_line (usage_import_id, line_number, reason, field, detail, raw_text)
SELECT
  %(import_id)s, f.line_number, f.reason, f.field,
  CASE f.reason
    WHEN 'MISSING_VALUE' THEN f.field || ' is empty' || CASE f.field
      WHEN 'product' THEN ', and the service has no usage product of its own.'
      WHEN 'type' THEN ', and the source system has no default usage type.'
      ELSE '.' END
    WHEN 'BAD_NUMBER' THEN f.field || ' “' || v.value || '” is not a number with at most 20 digits before the point and 18 after it.'
    WHEN 'BAD_DATE' THEN f.field || ' “' || v.value || '” is not a '
      || CASE WHEN f.field IN ('from_date', 'to_date') THEN 'date and time such as 2026-01-31T23:59:59Z.'
         ELSE 'date such as 2026-01-31.' END
    WHEN 'BAD_PERIOD' THEN 'to_date “' || v.value || '” is before from_date “' || coalesce(s.from_date, '') || '”.'
    WHEN 'BAD_CHOICE' THEN f.field || ' “' || v.value || '” is not TO_BE_BILLED, TO_BE_CREDITED or NOT_TO_BE_BILLED.'
    WHEN 'TOO_LONG' THEN f.field || ' has ' || length(s.texts ->> f.field) || ' characters, more than a record can hold.'
    WHEN 'UNKNOWN_SERVICE' THEN 'No service has the identifier “' || v.value || '” at that time.'
    WHEN 'UNKNOWN_PRODUCT' THEN 'No usage product has the code “' || v.value || '”.'
    WHEN 'UNKNOWN_TYPE' THEN 'No usage type has the name “' || v.value || '”.'
  END,
  s.raw_text
FROM (
  SELECT line_number, split_part(fault, ':', 1) AS reason, split_part(fault, ':', 2) AS field
  FROM {parsed} WHERE fault IS NOT NULL
) f
JOIN (SELECT line_number, {raw_text} AS raw_text, {from_date} AS from_date, {texts} AS texts FROM {staging}) s
  USING (line_number)
CROSS JOIN LATERAL (SELECT left(coalesce(s.texts ->> f.field, ''), 200) AS value) v
ORDER BY f.line_number
