-- The uses that a rate prices, with the rate's terms.
CREATE TEMPORARY TABLE found ON COMMIT DROP AS
SELECT t.*, 0 AS turn, {terms} FROM taken t CROSS JOIN price_range p
WITH NO DATA
