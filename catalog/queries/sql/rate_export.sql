-- The prices of a card that hold on a day, in the columns that a rate deck is read by.
COPY (
  SELECT p.code AS product, r.destination_prefix, r.destination_name, r.region, b.name AS time_band, r.pricing_model,
    trim_scale(r.unit_price) AS unit_price, trim_scale(r.unit_size) AS unit_size,
    trim_scale(r.connection_fee) AS connection_fee, trim_scale(r.minimum_quantity) AS minimum_quantity,
    trim_scale(r.first_increment) AS first_increment, trim_scale(r.increment) AS increment,
    trim_scale(r.minimum_charge) AS minimum_charge, trim_scale(r.maximum_charge) AS maximum_charge,
    trim_scale(r.included_quantity) AS included_quantity, r.counted_per, t.tiers, r.rounding_digits, r.rounding_mode,
    r.end_date
  FROM rate r
  JOIN product p ON p.id = r.product_id
  LEFT JOIN time_band b ON b.id = r.time_band_id
  LEFT JOIN (
    SELECT t.rate_id, string_agg(
      trim_scale(t.from_quantity) || ':' || trim_scale(t.unit_price), ';' ORDER BY t.from_quantity
    ) AS tiers
    FROM rate_tier t JOIN rate r ON r.id = t.rate_id
    WHERE r.rate_card_id = %(rate_card_id)s
    GROUP BY t.rate_id
  ) t ON t.rate_id = r.id
  WHERE r.rate_card_id = %(rate_card_id)s
    AND r.start_date <= %(on)s AND (r.end_date IS NULL OR r.end_date > %(on)s)
  ORDER BY p.code, r.region, r.destination_prefix, b.name NULLS FIRST
) TO STDOUT WITH (FORMAT csv, HEADER)
