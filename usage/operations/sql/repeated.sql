-- Good rows whose number was there before: the same content is a duplicate, other content a conflict.
WITH compared AS (
  {compare}
), conflicts AS (
  INSERT INTO usage_conflict (usage_import_id, record_id, line_number, differences, raw_text, decision, note)
  SELECT %(import_id)s, c.record_id, c.line_number, c.differences, s.raw_text, 'OPEN', ''
  FROM compared c
  JOIN (SELECT line_number, {raw_text} AS raw_text FROM {rows}) s USING (line_number)
  WHERE NOT c.is_same
  ORDER BY c.line_number
)
SELECT count(*) FILTER (WHERE is_same), count(*) FILTER (WHERE NOT is_same) FROM compared
