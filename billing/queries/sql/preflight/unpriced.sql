-- The records of the groups in doubt that no rate prices, one by one: as rating has it (operations/sql/rating), but whether,
-- not which. The rates of their products by themselves first: what has none costs a look at an empty table.
CREATE TEMPORARY TABLE preflight_choice ON COMMIT DROP AS
SELECT t.product_id, t.destination_prefix AS prefix, t.rate_card_id, t.region, t.start_date, t.end_date, t.time_band_id,
  k.timezone, k.holiday_country
FROM rate t
JOIN rate_card k ON k.id = t.rate_card_id
WHERE t.rate_card_id = ANY (%(rate_card_ids)s)
  AND t.product_id IN (SELECT product_id FROM preflight_doubt);
CREATE INDEX ON preflight_choice (product_id, prefix);
ANALYZE preflight_choice;
CREATE TEMPORARY TABLE preflight_unpriced ON COMMIT DROP AS
SELECT c.customer_id, r.id AS record_id, r.product_id
FROM pending_usage p
JOIN preflight_customer c ON c.customer_id = p.customer_id
JOIN usage_data_record r ON r.id = p.record_id AND r.id BETWEEN %(first_record)s AND %(last_record)s
{doubted}
CROSS JOIN LATERAL (
  SELECT r.from_date AT TIME ZONE c.timezone AS local,
    ARRAY(
      SELECT left(digits, n)
      FROM substring(r.destination FROM '^[+]?([0-9]*)') AS digits, generate_series(0, least(length(digits), 15)) AS n
    )::varchar[] AS prefixes
) u
WHERE p.billing_effective_date < %(cutoff_date)s
  AND r.life_cycle_state = 'POSTED' AND r.billing_directive <> 'NOT_TO_BE_BILLED' AND r.total_amount IS NULL
  AND NOT EXISTS (
    SELECT
    FROM preflight_choice t
    WHERE t.product_id = r.product_id AND t.prefix = ANY (u.prefixes)
      AND t.rate_card_id = ANY (c.rate_card_ids) AND t.region IN (r.region, '')
      AND t.start_date <= u.local::date AND (t.end_date IS NULL OR t.end_date > u.local::date)
      AND (t.time_band_id IS NULL OR EXISTS (
        SELECT
        FROM time_band_hours h
        CROSS JOIN LATERAL (
          SELECT CASE t.timezone WHEN '' THEN u.local ELSE r.from_date AT TIME ZONE t.timezone END AS moment
        ) m
        WHERE h.time_band_id = t.time_band_id
          AND m.moment::time >= h.start_time AND (h.end_time IS NULL OR m.moment::time < h.end_time)
          AND CASE WHEN EXISTS (
            SELECT FROM public_holiday d WHERE d.country = t.holiday_country AND d.day = m.moment::date
          ) THEN 8 ELSE extract(isodow FROM m.moment)::integer END = ANY (h.days)
      ))
    -- Record by record, by the index: as a join, all rates of the product would be compared with all its records.
    OFFSET 0
  );
ANALYZE preflight_unpriced
