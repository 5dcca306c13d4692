-- Faulty rows, with the sentence that says what is wrong and the row as it came. A line that is tried again, and is
-- faulty again, gets its new fault.
INSERT INTO quarantined_line (
  usage_import_id, line_number, reason, field, detail, raw_text, corrected_text, state, note
)
SELECT
  %(import_id)s, f.line_number, f.reason, f.field,
  {sentence},
  s.raw_text, '', 'OPEN', ''
FROM (
  SELECT line_number, split_part(fault, ':', 1) AS reason, split_part(fault, ':', 2) AS field
  FROM {parsed} WHERE fault IS NOT NULL
) f
JOIN (SELECT line_number, {raw_text} AS raw_text, {from_date} AS from_date, {texts} AS texts FROM {rows}) s
  USING (line_number)
CROSS JOIN LATERAL (SELECT left(coalesce(s.texts ->> f.field, ''), 200) AS value) v
ORDER BY f.line_number
ON CONFLICT (usage_import_id, line_number)
  DO UPDATE SET reason = excluded.reason, field = excluded.field, detail = excluded.detail, state = 'OPEN',
    decided_at = NULL, decided_by_id = NULL
