-- The prices that are looked at, in one shape whether they are rates of the card or lines of a deck that is to become
-- rates of it: what holds on the day, by product, region, prefix and time band. `line_id` names a line of the deck;
-- `before_id` the version that a line takes the place of. A rate that the deck closes or changes is not there any more.
-- Each table is analyzed before the next is made of it: they have a few rows or 100,000, and only so the planner knows.
CREATE TEMPORARY TABLE lint_line ON COMMIT DROP AS
SELECT *, coalesce(time_band_id, 0) AS band
FROM rate_deck_line WHERE deck_id = %(deck_id)s AND outcome IN ('NEW', 'CHANGED', 'CLOSED');
CREATE TEMPORARY TABLE lint_held ON COMMIT DROP AS
SELECT *, coalesce(time_band_id, 0) AS band
FROM rate
WHERE rate_card_id = %(rate_card_id)s AND start_date <= %(on)s AND (end_date IS NULL OR end_date > %(on)s);
ANALYZE lint_line, lint_held;
CREATE TEMPORARY TABLE linted ON COMMIT DROP AS
SELECT row_number() OVER () AS id, found.*
FROM (
  SELECT
    h.id AS rate_id, NULL::bigint AS line_id, NULL::bigint AS before_id, h.product_id, h.region,
    h.destination_prefix AS prefix, h.time_band_id, h.pricing_model, h.unit_price, h.unit_size, h.connection_fee,
    h.minimum_charge, h.included_quantity, h.counted_per
  FROM lint_held h
  WHERE NOT EXISTS (
    SELECT FROM lint_line l
    WHERE l.product_id = h.product_id AND l.region = h.region AND l.destination_prefix = h.destination_prefix
      AND l.band = h.band
  )
  UNION ALL
  SELECT
    NULL, l.id, l.rate_id, l.product_id, l.region, l.destination_prefix, l.time_band_id, l.pricing_model, l.unit_price,
    l.unit_size, l.connection_fee, l.minimum_charge, l.included_quantity, l.counted_per
  FROM lint_line l
  WHERE l.outcome <> 'CLOSED'
) found;
CREATE INDEX ON linted (product_id, region, prefix);
ANALYZE linted;
CREATE TEMPORARY TABLE linted_tier ON COMMIT DROP AS
SELECT t.id AS row_id, s.id AS tier_id, s.from_quantity, s.unit_price
FROM linted t JOIN rate_tier s ON s.rate_id = t.rate_id
UNION ALL
SELECT t.id, e.turn, (e.tier ->> 0)::numeric, (e.tier ->> 1)::numeric
FROM linted t
JOIN lint_line l ON l.id = t.line_id
CROSS JOIN LATERAL jsonb_array_elements(l.tiers) WITH ORDINALITY AS e (tier, turn);
-- What held in the card and holds no more on the day: versions that have ended, and what the deck closes.
CREATE TEMPORARY TABLE ended ON COMMIT DROP AS
SELECT DISTINCT ON (r.product_id, r.region, r.destination_prefix, coalesce(r.time_band_id, 0))
  r.id AS rate_id, l.id AS line_id, r.product_id, r.region, r.destination_prefix AS prefix, r.time_band_id,
  least(r.end_date, CASE WHEN l.id IS NOT NULL THEN %(on)s::date END) AS end_date
FROM rate r
LEFT JOIN lint_line l ON l.outcome = 'CLOSED' AND l.rate_id = r.id
WHERE r.rate_card_id = %(rate_card_id)s AND (r.end_date <= %(on)s OR l.id IS NOT NULL)
  -- Those that were withdrawn never held.
  AND r.end_date IS DISTINCT FROM r.start_date
ORDER BY r.product_id, r.region, r.destination_prefix, coalesce(r.time_band_id, 0), r.start_date DESC;
ANALYZE linted_tier, ended
