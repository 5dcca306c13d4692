-- What there is to look for at each turn, and how: where hours matter, where public holidays do, where a zone of a card's own;
-- in which lists, of how many pages.
SELECT c.turn, c.is_direct, c.kind, t.has_bands, t.has_holidays, t.has_zones, c.list_ids, l.page_count
FROM (
  SELECT turn, is_direct, kind, array_agg(DISTINCT list_id) AS list_ids FROM price_choice GROUP BY turn, is_direct, kind
) c
JOIN (
  SELECT turn, bool_or(band_set <> '{{}}') AS has_bands,
    bool_or(band_set <> '{{}}' AND holiday_country <> '') AS has_holidays,
    bool_or(band_set <> '{{}}' AND timezone <> '') AS has_zones
  FROM price_turn GROUP BY turn
) t USING (turn)
CROSS JOIN LATERAL (
  SELECT sum(cardinality(page_starts)) AS page_count FROM price_list WHERE id = ANY (c.list_ids)
) l
ORDER BY c.turn, c.kind
