-- The prices of a run's price lists, laid out so that the longest prefix is found by where a destination stands: a list for
-- each card, product, region, time band and time in which no version begins or ends; in it, in the order of destinations,
-- where each rate begins to hold. Once for a run (docs/adr/0015).
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
-- What rates say, once for all that say the same: decks have many prefixes and few prices.
CREATE TEMPORARY TABLE said ON COMMIT DROP AS
SELECT row_number() OVER ()::integer AS terms_id, t.*
FROM (
  SELECT length(r.destination_prefix) AS prefix_length, r.unit_price, r.unit_size, r.connection_fee, r.minimum_quantity,
    coalesce(r.first_increment, r.increment) AS first_increment, r.increment, r.minimum_charge, r.maximum_charge,
    r.rounding_digits, r.rounding_mode, r.start_date,
    r.pricing_model <> 'perUnit' OR r.included_quantity <> 0 AS is_counted,
    r.band_id <> 0 AND c.band_rule = 'split' AS is_split, array_agg(r.id) AS rate_ids
  FROM seen_rate r
  JOIN rate_card c ON c.id = r.rate_card_id
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
) t;
INSERT INTO price_terms (
  run_id, id, prefix_length, unit_price, unit_size, connection_fee, minimum_quantity, first_increment, increment,
  minimum_charge, maximum_charge, rounding_digits, rounding_mode, start_date, is_counted, is_split
)
SELECT
  %(run_id)s, terms_id, prefix_length, unit_price, unit_size, connection_fee, minimum_quantity, first_increment, increment,
  minimum_charge, maximum_charge, rounding_digits, rounding_mode, start_date, is_counted, is_split
FROM said;
CREATE TEMPORARY TABLE listed ON COMMIT DROP AS
SELECT t.list_id, r.destination_prefix COLLATE "C" AS prefix, tollbook_destination_code(r.destination_prefix) AS start,
  r.id AS rate_id, s.terms_id, s.is_counted
FROM priced_time t
JOIN seen_rate r USING (rate_card_id, product_id, region, band_id)
JOIN (SELECT unnest(rate_ids) AS rate_id, terms_id, is_counted FROM said) s ON s.rate_id = r.id
WHERE r.start_date <= t.from_day AND r.until_day >= t.until_day;
CREATE INDEX ON listed (list_id, prefix) INCLUDE (rate_id, terms_id);
ANALYZE listed;
-- Where the destinations of each prefix begin and, behind them, where those of the next shorter one go on. Of prefixes that
-- end at one place, what is behind the shortest counts.
CREATE TEMPORARY TABLE stretch ON COMMIT DROP AS
SELECT list_id, start, rate_id, terms_id FROM listed
UNION ALL
SELECT e.list_id, e.behind, coalesce(shorter.rate_id, 0), coalesce(shorter.terms_id, 0)
FROM (
  SELECT DISTINCT ON (list_id, behind) list_id, behind, prefix
  FROM (
    SELECT list_id, prefix, (start / 16 + rpad('1', 16 - length(prefix), '0')::bigint) * 16 AS behind
    FROM listed WHERE prefix <> ''
  ) ends
  ORDER BY list_id, behind, length(prefix)
) e
LEFT JOIN LATERAL (
  SELECT s.rate_id, s.terms_id FROM listed s
  WHERE s.list_id = e.list_id
    AND s.prefix = ANY (ARRAY(SELECT left(e.prefix, n) COLLATE "C" FROM generate_series(0, length(e.prefix) - 1) n))
  ORDER BY length(s.prefix) DESC LIMIT 1
) shorter ON true
WHERE NOT EXISTS (
  SELECT FROM listed o
  WHERE o.list_id = e.list_id AND o.start / 16 = e.behind / 16 AND length(o.prefix) <= length(e.prefix)
);
-- A place in a list is found by two halvings: of where its pages start, then of one page. Both fit in one row of a table.
INSERT INTO price_page (list_id, number, starts, rate_ids, terms_ids)
SELECT list_id, 1 + page, array_agg(start ORDER BY start), array_agg(rate_id ORDER BY start),
  array_agg(terms_id ORDER BY start)
FROM (
  SELECT s.*, ((row_number() OVER (PARTITION BY list_id ORDER BY start) - 1)
    / least(380, greatest(64, count(*) OVER (PARTITION BY list_id) / 900 + 1)))::integer AS page
  FROM stretch s
) s
GROUP BY list_id, page;
INSERT INTO price_list (
  id, run_id, card_id, product_id, region, band_id, from_day, until_day, has_prefixes, is_direct, page_starts
)
SELECT t.list_id, %(run_id)s, t.rate_card_id, t.product_id, t.region, t.band_id, t.from_day, t.until_day, l.has_prefixes,
  l.is_direct AND (t.band_id = 0 OR c.band_rule <> 'split'), g.page_starts
FROM priced_time t
JOIN rate_card c ON c.id = t.rate_card_id
JOIN (
  SELECT list_id, bool_or(prefix <> '') AS has_prefixes, NOT bool_or(is_counted) AS is_direct FROM listed GROUP BY list_id
) l USING (list_id)
JOIN (
  SELECT list_id, array_agg(starts[1] ORDER BY number) AS page_starts
  FROM price_page WHERE list_id IN (SELECT list_id FROM priced_time) GROUP BY list_id
) g USING (list_id);
-- The hours of time bands, for each minute of a week with a public holiday as its eighth day. A slot is the bands that hold
-- at the same time, 0 where there are none; `first_code` numbers the minutes of a set of bands, one after the other. Cards
-- without bands have such minutes too, where others have: a use finds its slot by one join, whatever its card.
INSERT INTO price_card (run_id, card_id, timezone, holiday_country, band_set, first_code)
SELECT %(run_id)s, c.id, c.timezone, c.holiday_country, b.band_set,
  (dense_rank() OVER (ORDER BY b.band_set) - 1) * 8 * 1440
FROM (
  SELECT card_id, coalesce(array_agg(DISTINCT band_id ORDER BY band_id) FILTER (WHERE band_id <> 0), '{{}}') AS band_set
  FROM price_list WHERE run_id = %(run_id)s GROUP BY card_id
) b
JOIN rate_card c ON c.id = b.card_id;
INSERT INTO price_hours (run_id, code, band_set, slot, slot_id)
SELECT %(run_id)s, first_code + minute, band_set, slot,
  CASE WHEN band_set = '{{}}' THEN 0 ELSE dense_rank() OVER (ORDER BY first_code, slot) END
FROM (
  SELECT s.first_code, s.band_set, m.minute, coalesce(h.slot, '{{}}') AS slot
  FROM (SELECT DISTINCT first_code, band_set FROM price_card WHERE run_id = %(run_id)s) s
  CROSS JOIN generate_series(0, 8 * 1440 - 1) m (minute)
  CROSS JOIN LATERAL (
    SELECT array_agg(DISTINCT time_band_id ORDER BY time_band_id) AS slot
    FROM time_band_hours
    WHERE time_band_id = ANY (s.band_set) AND m.minute / 1440 + 1 = ANY (days)
      AND make_time(m.minute %% 1440 / 60, m.minute %% 60, 0) >= start_time
      AND (end_time IS NULL OR make_time(m.minute %% 1440 / 60, m.minute %% 60, 0) < end_time)
  ) h
) m
WHERE EXISTS (SELECT FROM price_card WHERE run_id = %(run_id)s AND band_set <> '{{}}');
INSERT INTO price_slot (run_id, slot_id, band_set, slot)
SELECT %(run_id)s, 0, '{{}}', '{{}}'
UNION
SELECT run_id, slot_id, band_set, slot FROM price_hours WHERE run_id = %(run_id)s;
INSERT INTO price_window (run_id, from_day, until_day) VALUES (%(run_id)s, %(from_day)s, %(until_day)s);
DROP TABLE seen_rate, said, priced_time, listed, stretch;
-- Whose transaction is long, as of who rates a past period again, must not keep others waiting.
ANALYZE (SKIP_LOCKED) price_list, price_page, price_terms, price_card, price_hours
