-- How many lines come out otherwise than they were shown: another outcome, another version, another end.
SELECT count(*) FROM (
  SELECT line_number, product_id, region, destination_prefix, time_band_id, outcome, rate_id, end_date FROM deck_compared
  EXCEPT ALL
  SELECT line_number, product_id, region, destination_prefix, time_band_id, outcome, rate_id, end_date
  FROM rate_deck_line WHERE deck_id = %(deck_id)s
) new_or_other
UNION ALL
SELECT count(*) FROM (
  SELECT line_number, product_id, region, destination_prefix, time_band_id, outcome, rate_id, end_date
  FROM rate_deck_line WHERE deck_id = %(deck_id)s
  EXCEPT ALL
  SELECT line_number, product_id, region, destination_prefix, time_band_id, outcome, rate_id, end_date FROM deck_compared
) gone
