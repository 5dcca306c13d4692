-- How many prices of each of these cards have ended by the day, and nothing of the card prices any more what they did: as
-- lint/expired.sql, of many cards at once. Those with a version that holds go first, in one pass: they are nearly all.
WITH left_over AS MATERIALIZED (
  SELECT r.rate_card_id, r.product_id, r.region, r.destination_prefix AS prefix, r.time_band_id
  FROM rate r
  WHERE r.rate_card_id = ANY(%(rate_card_ids)s) AND r.start_date <= %(on)s
  GROUP BY r.rate_card_id, r.product_id, r.region, r.destination_prefix, r.time_band_id
  HAVING bool_and(coalesce(r.end_date <= %(on)s, false))
)
SELECT e.rate_card_id, count(*)
FROM left_over e
WHERE NOT EXISTS (
  SELECT
  FROM generate_series(0, length(e.prefix)) AS n (length)
  JOIN rate h
    ON h.rate_card_id = e.rate_card_id AND h.product_id = e.product_id
    AND h.destination_prefix = left(e.prefix, n.length) AND h.region IN (e.region, '')
    AND (h.time_band_id IS NULL OR h.time_band_id = e.time_band_id)
    AND h.start_date <= %(on)s AND (h.end_date IS NULL OR h.end_date > %(on)s)
)
GROUP BY e.rate_card_id
