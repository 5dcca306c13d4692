-- What there is to look for at each turn, and how: where hours matter, where public holidays do, where a zone of a card's own.
SELECT c.turn, c.is_direct, c.kind, t.has_bands, t.has_holidays, t.has_zones
FROM (SELECT DISTINCT turn, is_direct, kind FROM price_choice) c
JOIN (
  SELECT turn, bool_or(band_set IS NOT NULL) AS has_bands,
    bool_or(band_set IS NOT NULL AND holiday_country <> '') AS has_holidays,
    bool_or(band_set IS NOT NULL AND timezone <> '') AS has_zones
  FROM price_turn GROUP BY turn
) t USING (turn)
ORDER BY c.turn, c.kind
