-- The texts of a deck become values. A line in which something cannot be read gets a sentence as its fault; its rule
-- (product, region, prefix, band) stays known where that much can be read.
CREATE TEMPORARY TABLE deck_parsed AS
SELECT
  line_number, raw_text, {terms}, fault,
  CASE WHEN has_rule THEN product_id END AS product_id,
  CASE WHEN has_rule THEN region ELSE '' END AS region,
  CASE WHEN has_rule THEN destination_prefix ELSE '' END AS destination_prefix,
  CASE WHEN has_rule THEN time_band_id END AS time_band_id
FROM (
  SELECT p.*,
    coalesce(pr.id, CASE WHEN p.product_text IS NULL THEN %(default_product_id)s::bigint END) AS product_id,
    b.id AS time_band_id,
    (pr.id IS NOT NULL OR p.product_text IS NULL AND %(default_product_id)s::bigint IS NOT NULL)
      AND p.destination_prefix IS NOT NULL AND length(p.region) <= 100
      AND (p.time_band_text IS NULL OR b.id IS NOT NULL) AS has_rule,
    CASE
      WHEN p.product_text IS NULL AND %(default_product_id)s::bigint IS NULL
        THEN 'Line ' || line_number || ': product is empty. Give the code of a product, or the deck a default product.'
      WHEN p.product_text IS NOT NULL AND pr.id IS NULL
        THEN 'Line ' || line_number || ': no product has the code “' || left(p.product_text, 100) || '”.'
      WHEN p.destination_prefix IS NULL
        THEN 'Line ' || line_number || ': destination_prefix “' || left(p.destination_prefix_text, 100)
          || '” is not at most 15 digits, with or without + before them.'
      WHEN p.time_band_text IS NOT NULL AND b.id IS NULL
        THEN 'Line ' || line_number || ': no time band has the name “' || left(p.time_band_text, 100) || '”.'
      WHEN p.unit_price_text IS NULL THEN 'Line ' || line_number || ': unit_price is empty. Give a price, 0 for none.'
      {faults}
    END AS fault
  FROM (
    SELECT t.*, {values}
    -- Keeps the planner from computing each text and value again wherever it is used.
    FROM (SELECT line_number, raw_text, {texts} FROM {rows} OFFSET 0) t
    OFFSET 0
  ) p
  LEFT JOIN product pr ON pr.code = p.product_text
  LEFT JOIN time_band b ON b.name = p.time_band_text
) q
