-- The prices that the usage taken needs, looked up once for each combination of price lists, product, region and day.
-- Rates that were committed after the run was commenced are not seen, nor ends of rates that were.
CREATE TEMPORARY TABLE price ON COMMIT DROP AS
WITH card AS MATERIALIZED (
  SELECT DISTINCT a.card_set, listed.rate_card_id, listed.position
  FROM account a
  CROSS JOIN LATERAL unnest(a.rate_card_ids) WITH ORDINALITY AS listed (rate_card_id, position)
), wanted AS MATERIALIZED (
  SELECT DISTINCT card_set, product_id, region, used_on FROM taken WHERE own_amount IS NULL
)
SELECT w.*, best.*
FROM wanted w
CROSS JOIN LATERAL (
  SELECT t.id AS rate_id, t.unit_price, t.unit_size, t.rounding_digits, t.rounding_mode
  FROM card
  JOIN rate t ON t.rate_card_id = card.rate_card_id AND t.product_id = w.product_id
  WHERE card.card_set = w.card_set
    AND t.region IN (w.region, '')
    AND t.start_date <= w.used_on
    AND tollbook_seen(t.created_in, %(snapshot)s::pg_snapshot)
    -- An end that was set after the run was commenced does not count in it, but the one before does.
    AND coalesce(
      CASE
        WHEN t.ended_in IS NULL OR tollbook_seen(t.ended_in, %(snapshot)s::pg_snapshot) THEN t.end_date
        ELSE (
          SELECT (e.ending ->> 'end_date')::date
          FROM jsonb_array_elements(t.earlier_ends) WITH ORDINALITY AS e (ending, turn)
          WHERE e.ending ->> 'ended_in' IS NULL
            OR tollbook_seen((e.ending ->> 'ended_in')::xid8, %(snapshot)s::pg_snapshot)
          ORDER BY e.turn DESC LIMIT 1
        )
      END,
      'infinity') > w.used_on
  -- The first card that has one; in it the exact region before "every region"; of two versions the later.
  ORDER BY card.position, t.region = '', t.start_date DESC
  LIMIT 1
) best
