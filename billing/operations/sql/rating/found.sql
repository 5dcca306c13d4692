-- The uses that a rate prices, with the rate's terms.
CREATE TEMPORARY TABLE found ON COMMIT DROP AS
SELECT t.*, k.key_id, 0::bigint AS slot_id, 0 AS turn, 0::bigint AS rate_id, {terms} FROM taken t CROSS JOIN price_key k CROSS JOIN price_terms p
WITH NO DATA
