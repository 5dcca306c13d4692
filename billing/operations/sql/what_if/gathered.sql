-- What each customer pays for each product, added up chunk by chunk.
CREATE TEMPORARY TABLE revenue (
  customer_id bigint NOT NULL, product_id bigint NOT NULL, record_count bigint NOT NULL, now numeric NOT NULL,
  "then" numeric NOT NULL, unpriced_count bigint NOT NULL, unpriced_now numeric NOT NULL, first_unpriced bigint
) ON COMMIT DROP
