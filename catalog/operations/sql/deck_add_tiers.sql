INSERT INTO rate_tier (rate_id, from_quantity, unit_price)
SELECT r.id, (tier ->> 0)::numeric, (tier ->> 1)::numeric
FROM rate_deck_line l
JOIN rate r ON r.rate_card_id = %(rate_card_id)s AND r.start_date = %(starts_on)s AND r.product_id = l.product_id
  AND r.region = l.region AND r.destination_prefix = l.destination_prefix
  AND coalesce(r.time_band_id, 0) = coalesce(l.time_band_id, 0)
CROSS JOIN LATERAL jsonb_array_elements(l.tiers) AS tier
WHERE l.deck_id = %(deck_id)s AND l.outcome IN ('NEW', 'CHANGED') AND l.tiers <> '[]'
