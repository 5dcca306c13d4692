-- Uses of cards that split, cut where the hours of their time bands change: at midnights and where a band begins or ends.
CREATE TEMPORARY TABLE part ON COMMIT DROP AS
SELECT
  f.record_id, f.turn, f.card_set, f.product_id, f.region, f.used_on, f.code,
  (row_number() OVER (PARTITION BY f.record_id ORDER BY b.moment))::integer AS part, b.moment,
  b.moment AT TIME ZONE a.timezone AS local,
  lead(b.moment, 1, f.ended_at) OVER (PARTITION BY f.record_id ORDER BY b.moment) AS until
FROM found f
JOIN account a ON a.id = f.account_id
JOIN price_turn t ON t.card_set = f.card_set AND t.product_id = f.product_id AND t.region = f.region
  AND t.used_on = f.used_on AND t.turn = f.turn
CROSS JOIN LATERAL (SELECT coalesce(nullif(t.timezone, ''), a.timezone) AS zone) z
CROSS JOIN LATERAL (
  SELECT f.moment
  UNION
  SELECT m.moment
  FROM generate_series((f.moment AT TIME ZONE z.zone)::date, (f.ended_at AT TIME ZONE z.zone)::date, '1 day') day
  CROSS JOIN (
    SELECT time '00:00' AS border
    UNION SELECT start_time FROM time_band_hours WHERE time_band_id = ANY (t.band_set)
    UNION SELECT end_time FROM time_band_hours WHERE time_band_id = ANY (t.band_set) AND end_time IS NOT NULL
  ) s
  CROSS JOIN LATERAL (SELECT (day::date + s.border) AT TIME ZONE z.zone AS moment) m
  WHERE m.moment > f.moment AND m.moment < f.ended_at
  UNION
  -- On a day on which clocks change, hours may change at any minute: some come twice, others are left out.
  SELECT minute
  FROM generate_series((f.moment AT TIME ZONE z.zone)::date, (f.ended_at AT TIME ZONE z.zone)::date, '1 day') day
  CROSS JOIN LATERAL (
    SELECT day::date::timestamp AT TIME ZONE z.zone AS begins, (day::date + 1)::timestamp AT TIME ZONE z.zone AS ends
  ) d
  CROSS JOIN LATERAL generate_series(d.begins, d.ends, '1 minute') minute
  WHERE d.ends - d.begins <> interval '24 hours' AND minute > f.moment AND minute < f.ended_at
) b
WHERE f.is_split AND NOT f.is_counted AND f.ended_at > f.moment AND f.quantity <> 0
  -- A longer use is not split: it would be cut at thousands of borders.
  AND f.ended_at - f.moment <= interval '744 hours';
ANALYZE part;
CREATE TEMPORARY TABLE found_part ON COMMIT DROP AS
SELECT 0::bigint AS record_id, 0 AS part, 0 AS turn, 0::bigint AS rate_id, {terms} FROM price_terms p
WITH NO DATA
