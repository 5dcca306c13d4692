-- The prices of a run's price lists, laid out so that one look into an index finds the longest prefix: a list for each
-- card, product, region, time band and time in which no version begins or ends; in it, for each prefix, where its
-- destinations begin and, behind it, where those of the next shorter one go on. Once for a run (docs/adr/0015).
-- Rates that were committed after the run was commenced are not seen, nor ends of rates that were.
CREATE TEMPORARY TABLE seen_rate ON COMMIT DROP AS
SELECT r.*, e.until_day
FROM (
  SELECT t.*, coalesce(t.time_band_id, 0) AS band_id
  FROM rate t
  WHERE t.rate_card_id = ANY (%(card_ids)s)
    AND (%(product_ids)s::bigint[] IS NULL OR t.product_id = ANY (%(product_ids)s))
    AND t.start_date < %(until_day)s
    AND tollbook_seen(t.created_in, %(snapshot)s::pg_snapshot)
) r
CROSS JOIN LATERAL (
  -- An end that was set after the run was commenced does not count in it, but the one before does.
  SELECT coalesce(
    CASE
      WHEN r.ended_in IS NULL OR tollbook_seen(r.ended_in, %(snapshot)s::pg_snapshot) THEN r.end_date
      ELSE (
        SELECT (x.ending ->> 'end_date')::date
        FROM jsonb_array_elements(r.earlier_ends) WITH ORDINALITY AS x (ending, turn)
        WHERE x.ending ->> 'ended_in' IS NULL
          OR tollbook_seen((x.ending ->> 'ended_in')::xid8, %(snapshot)s::pg_snapshot)
        ORDER BY x.turn DESC LIMIT 1
      )
    END,
    'infinity') AS until_day
) e
WHERE e.until_day > %(from_day)s;
ANALYZE seen_rate (id, rate_card_id, product_id, region, band_id);
-- The time is parted where a version begins or ends.
CREATE TEMPORARY TABLE priced_time ON COMMIT DROP AS
SELECT nextval('price_list_id') AS list_id, t.*
FROM (
  SELECT rate_card_id, product_id, region, band_id, day AS from_day,
    lead(day) OVER (PARTITION BY rate_card_id, product_id, region, band_id ORDER BY day) AS until_day
  FROM (
    SELECT rate_card_id, product_id, region, band_id, greatest(start_date, %(from_day)s::date) AS day FROM seen_rate
    UNION
    SELECT rate_card_id, product_id, region, band_id, least(until_day, %(until_day)s::date) FROM seen_rate
  ) days
) t
WHERE t.until_day IS NOT NULL;
ANALYZE priced_time;
CREATE TEMPORARY TABLE listed ON COMMIT DROP AS
SELECT t.list_id, r.destination_prefix COLLATE "C" AS prefix, r.id AS rate_id
FROM priced_time t
JOIN seen_rate r USING (rate_card_id, product_id, region, band_id)
WHERE r.start_date <= t.from_day AND r.until_day >= t.until_day;
CREATE INDEX ON listed (list_id, prefix);
ANALYZE listed;
INSERT INTO price_list (
  id, run_id, card_id, product_id, region, band_id, from_day, until_day, has_prefixes, is_direct, bucket_length
)
SELECT t.list_id, %(run_id)s, t.rate_card_id, t.product_id, t.region, t.band_id, t.from_day, t.until_day, l.has_prefixes,
  l.is_direct AND (t.band_id = 0 OR c.band_rule <> 'split'), length(l.prefix_count::text) - 1
FROM priced_time t
JOIN rate_card c ON c.id = t.rate_card_id
JOIN (
  SELECT l.list_id, bool_or(l.prefix <> '') AS has_prefixes, count(*) AS prefix_count,
    bool_and(r.pricing_model = 'perUnit' AND r.included_quantity = 0) AS is_direct
  FROM listed l JOIN seen_rate r ON r.id = l.rate_id GROUP BY l.list_id
) l USING (list_id);
CREATE TEMPORARY TABLE stretch ON COMMIT DROP AS
SELECT list_id, prefix AS start, prefix, rate_id FROM listed
UNION ALL
-- Behind the last destination of a prefix: the next text of its length, in which only the last sign is the next one.
SELECT l.list_id, l.behind, shorter.prefix, shorter.rate_id
FROM (
  SELECT list_id, prefix, (left(prefix, -1) || chr(ascii(right(prefix, 1)) + 1)) COLLATE "C" AS behind
  FROM listed WHERE prefix <> ''
) l
LEFT JOIN LATERAL (
  SELECT s.prefix, s.rate_id FROM listed s
  WHERE s.list_id = l.list_id
    AND s.prefix = ANY (ARRAY(SELECT left(l.prefix, n) COLLATE "C" FROM generate_series(0, length(l.prefix) - 1) n))
  ORDER BY length(s.prefix) DESC LIMIT 1
) shorter ON true
WHERE NOT EXISTS (SELECT FROM listed o WHERE o.list_id = l.list_id AND o.prefix = l.behind);
-- So that a look into the index meets a few of them only, they are parted into buckets by how they begin; each bucket
-- begins with the stretch that holds there. Buckets of fewer digits are for destinations that are no longer than that.
INSERT INTO stretch
SELECT b.list_id, b.bucket, held.prefix, held.rate_id
FROM (
  SELECT p.id AS list_id, lpad(n::text, digits, '0') COLLATE "C" AS bucket
  FROM price_list p
  CROSS JOIN generate_series(1, p.bucket_length) digits
  CROSS JOIN LATERAL generate_series(0, (10 ^ digits)::integer - 1) n
  WHERE p.id IN (SELECT list_id FROM priced_time)
  UNION ALL
  SELECT id, '' FROM price_list WHERE id IN (SELECT list_id FROM priced_time)
) b
LEFT JOIN LATERAL (
  SELECT s.prefix, s.rate_id FROM listed s
  WHERE s.list_id = b.list_id
    AND s.prefix = ANY (ARRAY(SELECT left(b.bucket, n) COLLATE "C" FROM generate_series(0, length(b.bucket)) n))
  ORDER BY length(s.prefix) DESC LIMIT 1
) held ON true
WHERE NOT EXISTS (SELECT FROM listed o WHERE o.list_id = b.list_id AND o.prefix = b.bucket)
  AND NOT EXISTS (SELECT FROM stretch o WHERE o.list_id = b.list_id AND o.start = b.bucket);
INSERT INTO price_range (
  list_id, bucket, start, prefix_length, rate_id, unit_price, unit_size, connection_fee, minimum_quantity,
  first_increment, increment, minimum_charge, maximum_charge, rounding_digits, rounding_mode, start_date, is_counted,
  is_split
)
SELECT
  p.list_id, p.bucket, p.start, length(p.prefix), r.id, r.unit_price, r.unit_size, r.connection_fee,
  r.minimum_quantity, coalesce(r.first_increment, r.increment), r.increment, r.minimum_charge, r.maximum_charge,
  r.rounding_digits, r.rounding_mode, r.start_date, r.pricing_model <> 'perUnit' OR r.included_quantity <> 0,
  r.band_id <> 0 AND c.band_rule = 'split'
FROM (
  SELECT s.*, left(s.start, l.bucket_length) COLLATE "C" AS bucket FROM stretch s JOIN price_list l ON l.id = s.list_id
) p
LEFT JOIN (seen_rate r JOIN rate_card c ON c.id = r.rate_card_id) ON r.id = p.rate_id
ORDER BY p.list_id, p.bucket, p.start;
-- Of cards with time bands: the hours of their bands, for each minute of a week with a public holiday as its eighth day.
-- A slot is the bands that hold at the same time; `first_code` numbers the minutes of a set of bands, one after the other.
INSERT INTO price_card (run_id, card_id, timezone, holiday_country, band_set, first_code)
SELECT %(run_id)s, c.id, c.timezone, c.holiday_country, b.band_set,
  CASE WHEN b.band_set IS NOT NULL THEN (dense_rank() OVER (ORDER BY b.band_set) - 1) * 8 * 1440 END
FROM (
  SELECT card_id, array_agg(DISTINCT band_id ORDER BY band_id) FILTER (WHERE band_id <> 0) AS band_set
  FROM price_list WHERE run_id = %(run_id)s GROUP BY card_id
) b
JOIN rate_card c ON c.id = b.card_id;
INSERT INTO price_hours (run_id, code, band_set, slot, slot_id)
SELECT %(run_id)s, first_code + minute, band_set, slot, dense_rank() OVER (ORDER BY first_code, slot)
FROM (
  SELECT s.first_code, s.band_set, m.minute, coalesce(h.slot, '{{}}') AS slot
  FROM (SELECT DISTINCT first_code, band_set FROM price_card WHERE run_id = %(run_id)s AND band_set IS NOT NULL) s
  CROSS JOIN generate_series(0, 8 * 1440 - 1) m (minute)
  CROSS JOIN LATERAL (
    SELECT array_agg(DISTINCT time_band_id ORDER BY time_band_id) AS slot
    FROM time_band_hours
    WHERE time_band_id = ANY (s.band_set) AND m.minute / 1440 + 1 = ANY (days)
      AND make_time(m.minute %% 1440 / 60, m.minute %% 60, 0) >= start_time
      AND (end_time IS NULL OR make_time(m.minute %% 1440 / 60, m.minute %% 60, 0) < end_time)
  ) h
) m;
INSERT INTO price_slot (run_id, slot_id, band_set, slot)
SELECT DISTINCT run_id, slot_id, band_set, slot FROM price_hours WHERE run_id = %(run_id)s;
INSERT INTO price_window (run_id, from_day, until_day) VALUES (%(run_id)s, %(from_day)s, %(until_day)s);
DROP TABLE seen_rate, priced_time, listed, stretch;
ANALYZE price_list, price_range, price_card, price_hours
