-- What usage has in common that is looked up once: price lists, product, region and day.
ANALYZE taken (card_set, product_id, region, used_on, own_amount, record_id);
CREATE TEMPORARY TABLE price_key ON COMMIT DROP AS
SELECT (row_number() OVER ())::integer AS key_id, w.*
FROM (
  SELECT card_set, product_id, region, used_on, count(*) AS use_count
  FROM taken WHERE own_amount IS NULL GROUP BY card_set, product_id, region, used_on
) w;
ANALYZE price_key
