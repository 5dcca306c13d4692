INSERT INTO rate (
  rate_card_id, product_id, region, destination_prefix, time_band_id, start_date, unit_price, {columns}
)
SELECT %(rate_card_id)s, product_id, region, destination_prefix, time_band_id, %(starts_on)s, unit_price, {columns}
FROM rate_deck_line
WHERE deck_id = %(deck_id)s AND outcome IN ('NEW', 'CHANGED')
ORDER BY id
