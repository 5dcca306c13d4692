INSERT INTO rate_deck_line (
  deck_id, line_number, outcome, detail, raw_text, pricing_model, rounding_mode, region, destination_prefix,
  destination_name, tiers
)
SELECT %(deck_id)s, line_number, 'REFUSED', 'Line ' || line_number || ': its columns are not known yet.', raw_text,
  'perUnit', 'halfUp', '', '', '', '[]'
FROM deck_staging
ORDER BY line_number
