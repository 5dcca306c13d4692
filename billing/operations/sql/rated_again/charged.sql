-- The usage of some days that is charged, with what its charges come to now, price corrections included. Charges that
-- were taken back do not stand. Record by record by their indexes (OFFSET 0): what is asked about is a part of history,
-- and should not cost more the longer that gets. `counted_before`: the month that it counts in now.
CREATE TEMPORARY TABLE charged ON COMMIT DROP AS
SELECT r.id AS record_id, r.customer_id, c.id AS charge_id, c.line_id, coalesce(k.amount, c.amount) AS amount,
  CASE WHEN k.turn IS NULL THEN c.rate_id ELSE k.rate_id END AS rate_id,
  CASE WHEN k.turn IS NULL THEN c.counted_month ELSE k.counted_month END AS counted_before, coalesce(k.turn, 0) AS turn
FROM usage_data_record r
CROSS JOIN LATERAL (
  SELECT c.id, c.line_id, c.amount, c.rate_id, c.counted_month FROM usage_charge c
  WHERE c.record_id = r.id AND NOT EXISTS (SELECT FROM transaction t WHERE t.reversed_charge_id = c.id)
    AND (r.life_cycle_state <> 'CANCELLED' OR NOT EXISTS (SELECT FROM credited_charge k WHERE k.charge_id = c.id))
  OFFSET 0
) c
LEFT JOIN LATERAL (
  SELECT k.turn, k.amount, k.rate_id, k.counted_month FROM price_correction k WHERE k.charge_id = c.id ORDER BY k.turn DESC LIMIT 1
) k ON true
-- Wherever on earth: a day there begins at most a day before or after the one in UTC.
WHERE r.from_date >= (%(month_from)s::date - 1)::timestamp AT TIME ZONE 'UTC'
  AND r.from_date < (%(month_until)s::date + 1)::timestamp AT TIME ZONE 'UTC'
  AND (%(customer_ids)s::bigint[] IS NULL OR r.customer_id = ANY (%(customer_ids)s));
CREATE INDEX ON charged (customer_id);
ANALYZE charged (customer_id, line_id);
CREATE TEMPORARY TABLE charged_line ON COMMIT DROP AS
SELECT l.*
FROM (SELECT DISTINCT line_id FROM charged) d
CROSS JOIN LATERAL (
  SELECT l.id AS line_id, l.product_id, l.tax_rate_id, i.id AS invoice_id, i.number, a.id AS account_id,
    a.customer_id, a.currency_id, a.timezone, a.rate_card_ids
  FROM invoice_line l
  JOIN invoice i ON i.id = l.invoice_id
  JOIN run_account a ON a.invoice_id = i.id
  WHERE l.id = d.line_id AND (i.state = 'POSTED' OR NOT %(is_posted)s)
  OFFSET 0
) l;
CREATE INDEX ON charged_line (line_id);
ANALYZE charged_line (line_id, account_id);
-- The price lists are those that each account was billed by, with one put in place where that is asked.
CREATE TEMPORARY TABLE account ON COMMIT DROP AS
SELECT *, dense_rank() OVER (ORDER BY rate_card_ids) AS card_set
FROM (
  SELECT DISTINCT ON (account_id) account_id AS id, customer_id, currency_id, timezone, CASE
    WHEN %(card_id)s::bigint IS NULL THEN rate_card_ids
    WHEN %(replaced_card_id)s::bigint IS NULL THEN array_prepend(%(card_id)s::bigint, array_remove(rate_card_ids, %(card_id)s))
    WHEN %(replaced_card_id)s = ANY (rate_card_ids)
      THEN array_replace(array_remove(rate_card_ids, %(card_id)s), %(replaced_card_id)s, %(card_id)s)
    ELSE rate_card_ids
  END AS rate_card_ids
  FROM charged_line
  WHERE (%(currency)s::text IS NULL OR currency_id = %(currency)s)
    AND (%(listed_card_id)s::bigint IS NULL OR customer_id IN (
      SELECT customer_id FROM charged_line WHERE %(listed_card_id)s = ANY (rate_card_ids)
    ))
) a;
ANALYZE account;
-- Of about so many records at a time, whole customers: what counts together is rated together.
CREATE TEMPORARY TABLE customer_chunk ON COMMIT DROP AS
SELECT customer_id, div(sum(record_count) OVER (ORDER BY customer_id) - record_count, %(chunk_records)s)::integer AS chunk
FROM (
  SELECT customer_id, count(*) AS record_count FROM charged
  WHERE customer_id IN (SELECT customer_id FROM account) GROUP BY customer_id
) c;
ANALYZE customer_chunk
