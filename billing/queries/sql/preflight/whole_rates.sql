-- What the rate cards of the run price at any hour, by short prefixes: rates without a time band, and those with bands that
-- together leave no hour of the week (nor of public holidays, where the card has a country) out. A product whose rates all
-- have prefixes needs digits of the destination to be looked at: `digits` says how many.
CREATE TEMPORARY TABLE preflight_rate ON COMMIT DROP AS
WITH card AS MATERIALIZED (
  SELECT k.id, k.holiday_country <> '' AS has_holidays
  FROM rate_card k
  WHERE k.id = ANY (%(rate_card_ids)s)
), short AS MATERIALIZED (
  SELECT r.rate_card_id, r.product_id, r.region, r.destination_prefix, r.time_band_id,
    daterange(r.start_date, r.end_date) AS days
  FROM rate r
  WHERE r.rate_card_id = ANY (%(rate_card_ids)s) AND length(r.destination_prefix) <= %(digits)s
    AND r.start_date < %(cutoff_date)s
), hours AS MATERIALIZED (
  SELECT h.time_band_id, range_agg(int4range(
    (d.day - 1) * 1440 + extract(epoch FROM h.start_time)::integer / 60,
    (d.day - 1) * 1440 + extract(epoch FROM coalesce(h.end_time, '24:00'))::integer / 60
  )) AS minutes
  FROM time_band_hours h CROSS JOIN LATERAL unnest(h.days) AS d (day)
  GROUP BY h.time_band_id
), banded AS (
  SELECT s.rate_card_id, s.product_id, s.region, s.destination_prefix, s.days
  FROM short s
  JOIN card ON card.id = s.rate_card_id
  JOIN hours h USING (time_band_id)
  GROUP BY s.rate_card_id, s.product_id, s.region, s.destination_prefix, s.days, card.has_holidays
  HAVING range_agg(h.minutes) @> int4range(0, CASE WHEN card.has_holidays THEN 8 ELSE 7 END * 1440)
)
SELECT rate_card_id, product_id, region, destination_prefix AS prefix, range_agg(days) AS days
FROM (
  SELECT rate_card_id, product_id, region, destination_prefix, days FROM short WHERE time_band_id IS NULL
  UNION ALL
  SELECT * FROM banded
) whole
GROUP BY rate_card_id, product_id, region, destination_prefix;
ANALYZE preflight_rate
