-- What each line of a deck does to its card on the day from which the deck holds. Columns that the file does not have
-- leave what they say as the version that holds has it. A line whose rule is known, refused or not, names its rate.
-- The card's own rates by themselves first: what the planner knows of all rates may be older than the last deck, and a
-- hundred thousand lines compared with each of as many rates take minutes.
CREATE TEMPORARY TABLE deck_card_rate AS
SELECT r.*, coalesce(r.time_band_id, 0) AS band, coalesce(t.tiers, '[]'::jsonb) AS tiers
FROM rate r
LEFT JOIN (
  SELECT t.rate_id, jsonb_agg(
    jsonb_build_array(trim_scale(t.from_quantity)::text, trim_scale(t.unit_price)::text) ORDER BY t.from_quantity
  ) AS tiers
  FROM rate_tier t JOIN rate r ON r.id = t.rate_id
  WHERE r.rate_card_id = %(rate_card_id)s
  GROUP BY t.rate_id
) t ON t.rate_id = r.id
WHERE r.rate_card_id = %(rate_card_id)s AND (r.end_date IS NULL OR r.end_date > %(starts_on)s);
ANALYZE deck_card_rate;
CREATE TEMPORARY TABLE deck_compared AS
WITH held AS (SELECT * FROM deck_card_rate WHERE start_date <= %(starts_on)s),
later AS (
  SELECT product_id, region, destination_prefix, band, min(start_date) AS start_date
  FROM deck_card_rate WHERE start_date > %(starts_on)s
  GROUP BY 1, 2, 3, 4
),
named AS (
  SELECT p.*, coalesce(p.time_band_id, 0) AS band,
    CASE WHEN p.fault IS NULL THEN coalesce(
      lag(p.line_number) OVER rule, lead(p.line_number) OVER rule
    ) END AS same_as
  FROM deck_parsed p
  WINDOW rule AS (
    PARTITION BY p.fault IS NULL, p.product_id, p.region, p.destination_prefix, p.time_band_id ORDER BY p.line_number
  )
),
merged AS (
  SELECT n.line_number, n.raw_text, n.fault, n.same_as, n.product_id, n.region, n.destination_prefix, n.time_band_id,
    h.id AS rate_id, h.start_date AS held_from, l.start_date AS later_from, n.unit_price, {merged},
    {end_date} AS end_date,
    ({new_terms}) IS NOT DISTINCT FROM ({held_terms}) AND {end_date} IS NOT DISTINCT FROM h.end_date AS is_same
  FROM named n
  LEFT JOIN held h ON h.product_id = n.product_id AND h.region = n.region
    AND h.destination_prefix = n.destination_prefix AND h.band = n.band
  LEFT JOIN later l ON l.product_id = n.product_id AND l.region = n.region
    AND l.destination_prefix = n.destination_prefix AND l.band = n.band
),
judged AS (
  SELECT m.*, CASE
    WHEN fault IS NOT NULL THEN fault
    WHEN same_as IS NOT NULL
      THEN place || 'the same price stands in line ' || same_as || ' too: product, region, prefix and time band are '
        || 'equal. Keep one of them.'
    WHEN is_same AND rate_id IS NOT NULL THEN NULL
    WHEN end_date <= %(starts_on)s
      THEN place || 'end_date “' || end_date || '” is not after ' || %(starts_on)s || ', from when the deck holds.'
    WHEN held_from = %(starts_on)s
      THEN place || 'the card has another version of this price from ' || held_from || ' on already, which is the day '
        || 'of the deck. Let the deck hold from a later day.'
    WHEN later_from < coalesce(end_date, 'infinity')
      THEN place || 'the card has a later version of this price, from ' || later_from || ' on. Let this one end on '
        || 'that day (end_date), or the deck hold from a later day.'
    WHEN tiers <> '[]' AND pricing_model NOT IN ('graduated', 'volume')
      THEN place || 'tiers are for graduated and volume prices only, and pricing_model is ' || pricing_model || '.'
    WHEN maximum_charge < minimum_charge
      THEN place || 'maximum_charge ' || trim_scale(maximum_charge) || ' is below minimum_charge '
        || trim_scale(minimum_charge) || '.'
    WHEN (minimum_charge IS NOT NULL OR maximum_charge IS NOT NULL)
      AND (pricing_model <> 'perUnit' OR included_quantity <> 0)
      THEN place || 'minimum_charge and maximum_charge are of single uses: they go with perUnit prices without an '
        || 'included_quantity only.'
    WHEN time_band_id IS NOT NULL AND %(is_split)s AND (pricing_model <> 'perUnit' OR included_quantity <> 0)
      THEN place || 'the card splits uses at the borders of time bands: prices for a time band are perUnit, without an '
        || 'included_quantity.'
  END AS detail
  FROM (SELECT *, CASE WHEN line_number = 0 THEN '' ELSE 'Line ' || line_number || ': ' END AS place FROM merged) m
)
SELECT line_number, raw_text, rate_id, product_id, region, destination_prefix, time_band_id, unit_price, {terms},
  CASE
    WHEN detail IS NOT NULL THEN 'REFUSED' WHEN rate_id IS NULL THEN 'NEW' WHEN is_same THEN 'SAME' ELSE 'CHANGED'
  END AS outcome,
  coalesce(detail, '') AS detail
FROM judged
UNION ALL
SELECT 0, '', c.id, c.product_id, c.region, c.destination_prefix, c.time_band_id, c.unit_price, {closed_terms},
  CASE WHEN c.start_date < %(starts_on)s THEN 'CLOSED' ELSE 'REFUSED' END,
  CASE WHEN c.start_date < %(starts_on)s THEN '' ELSE
    'The deck does not name this price, but its version starts on ' || c.start_date || ', which is not before the day '
    || 'of the deck: it cannot be ended before it starts. Let the deck hold from a later day, or end it by itself.'
  END
FROM deck_card_rate c
WHERE %(is_full)s AND NOT EXISTS (
  SELECT FROM named n
  WHERE n.product_id = c.product_id AND n.region = c.region AND n.destination_prefix = c.destination_prefix
    AND n.band = c.band
)
