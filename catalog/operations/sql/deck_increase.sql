-- The prices of a card that hold on a day, raised. What is rounded is rounded half away from zero; else to 18 decimals.
CREATE TEMPORARY TABLE deck_parsed AS
SELECT
  row_number() OVER (ORDER BY r.product_id, r.region, r.destination_prefix, r.time_band_id NULLS FIRST)::integer
    AS line_number,
  '' AS raw_text, NULL::text AS fault, r.product_id, r.region, r.destination_prefix, r.time_band_id, {columns},
  round(r.unit_price * %(factor)s, %(digits)s) AS unit_price,
  round(r.connection_fee * %(factor)s, %(digits)s) AS connection_fee
FROM rate r
CROSS JOIN LATERAL (
  SELECT coalesce(jsonb_agg(
    jsonb_build_array(
      trim_scale(t.from_quantity)::text, trim_scale(round(t.unit_price * %(factor)s, %(digits)s))::text
    ) ORDER BY t.from_quantity
  ), '[]'::jsonb) AS tiers
  FROM rate_tier t WHERE t.rate_id = r.id
) t
WHERE r.rate_card_id = %(rate_card_id)s
  AND r.start_date <= %(starts_on)s AND (r.end_date IS NULL OR r.end_date > %(starts_on)s)
  AND (%(product_id)s::bigint IS NULL OR r.product_id = %(product_id)s)
  AND (%(destination_prefix)s = '' OR r.destination_prefix LIKE %(destination_prefix)s || '%%')
  AND (%(region)s::text IS NULL OR r.region = %(region)s)
  AND (%(time_band_id)s::bigint IS NULL OR r.time_band_id = %(time_band_id)s)
