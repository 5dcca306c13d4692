-- Lines in the order of the file; what the file does not name comes after them.
INSERT INTO rate_deck_line (
  deck_id, line_number, outcome, detail, raw_text, rate_id, product_id, region, destination_prefix, time_band_id,
  unit_price, {terms}
)
SELECT %(deck_id)s, line_number, outcome, detail, raw_text, rate_id, product_id, region, destination_prefix,
  time_band_id, unit_price, {terms}
FROM deck_compared
ORDER BY line_number = 0, line_number, rate_id
