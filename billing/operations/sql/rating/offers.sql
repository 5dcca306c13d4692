-- Which lists may price it, card by card, in the hours of which time bands.
CREATE TEMPORARY TABLE price_offer ON COMMIT DROP AS
SELECT
  k.key_id, dense_rank() OVER (PARTITION BY k.key_id ORDER BY card.position)::integer AS turn, l.id AS list_id, l.band_id,
  (l.region = '')::integer AS region_rank, l.has_prefixes, l.is_direct, c.timezone, c.holiday_country, c.band_set,
  c.first_code
FROM price_key k
JOIN (
  SELECT DISTINCT a.card_set, listed.rate_card_id, listed.position
  FROM account a
  CROSS JOIN LATERAL unnest(a.rate_card_ids) WITH ORDINALITY AS listed (rate_card_id, position)
) card USING (card_set)
JOIN price_list l ON l.run_id = %(run_id)s AND l.card_id = card.rate_card_id AND l.product_id = k.product_id
  AND l.region IN (k.region, '') AND k.used_on >= l.from_day AND k.used_on < l.until_day
JOIN price_card c ON c.run_id = %(run_id)s AND c.card_id = l.card_id;
CREATE TEMPORARY TABLE price_turn ON COMMIT DROP AS
SELECT DISTINCT k.*, o.turn, o.timezone, o.holiday_country, o.band_set, o.first_code
FROM price_offer o JOIN price_key k USING (key_id);
-- The lists for the hours of one slot (0: of cards without time bands). One list without prefixes has one rate: it is
-- known here.
CREATE TEMPORARY TABLE price_choice ON COMMIT DROP AS
SELECT c.*, g.rate_ids[1] AS rate_id, {found_terms}
FROM (
  SELECT o.key_id, o.turn, s.slot_id, bool_and(o.is_direct) AS is_direct,
    CASE WHEN count(*) > 1 THEN 'several' WHEN bool_or(o.has_prefixes) THEN 'prefixes' ELSE 'known' END AS kind,
    min(o.list_id) AS list_id, array_agg(o.list_id ORDER BY o.list_id) AS list_ids,
    array_agg(o.region_rank ORDER BY o.list_id) AS region_ranks, array_agg(o.band_id ORDER BY o.list_id) AS band_ids
  FROM price_offer o
  JOIN price_slot s ON s.run_id = %(run_id)s AND s.band_set = o.band_set
  WHERE o.band_id = 0 OR o.band_id = ANY (s.slot)
  GROUP BY o.key_id, o.turn, s.slot_id
) c
LEFT JOIN price_page g ON c.kind = 'known' AND g.list_id = c.list_id AND g.number = 1
LEFT JOIN price_terms r ON r.run_id = %(run_id)s AND r.id = g.terms_ids[1];
ANALYZE price_turn, price_choice (key_id, turn, slot_id, kind, is_direct, list_id)
