-- What becomes of each account: invoiced, or why not, in words.
CREATE TEMPORARY TABLE produced_account ON COMMIT DROP AS
WITH tax AS (
  SELECT
    l.account_id, l.tax_rate_id, t.treatment, sum(l.amount) AS net_amount,
    round(sum(l.amount) * t.percent * 0.01, a.minor_units) AS tax_amount,
    bool_or(l.kind IN ('MINIMUM', 'FEE')) AS has_added, bool_and(l.kind IN ('MINIMUM', 'FEE')) AS is_added,
    round(sum(l.exact_amount) FILTER (WHERE l.kind NOT IN ('CREDIT', 'MINIMUM', 'FEE')), a.minor_units) AS charged
  FROM produced_line l
  JOIN account a ON a.id = l.account_id
  LEFT JOIN tax_rate t ON t.id = l.tax_rate_id
  GROUP BY l.account_id, l.tax_rate_id, t.treatment, t.percent, a.minor_units
), document AS (
  SELECT account_id, sum(net_amount) AS net_amount, sum(tax_amount) AS tax_amount,
    bool_or(tax_rate_id IS NULL) AS is_tax_missing, bool_or(treatment = 'reverseCharge') AS is_reverse_charge,
    -- Whether the minimum or the fee is on it, or nothing else; and what it came to before credits.
    bool_or(has_added) AS has_added, bool_and(is_added) AS is_added, coalesce(sum(charged), 0) AS charged
  FROM tax GROUP BY account_id
), charged AS (
  SELECT account_id, sum(exact_amount) AS exact_amount, sum(charge_count) AS record_count
  FROM produced_line WHERE kind = 'USAGE' GROUP BY account_id
), unpriced AS (
  SELECT account_id, count(*) AS record_count, min(record_id) AS first_record_id
  FROM rated WHERE amount IS NULL GROUP BY account_id
), judged AS (
  SELECT
    a.id, a.customer_id, a.currency_id, a.minor_units, a.minimum_amount,
    coalesce(d.net_amount, 0) AS net_amount, coalesce(d.tax_amount, 0) AS tax_amount,
    coalesce(c.exact_amount, 0) AS exact_amount, coalesce(c.record_count, 0) AS record_count,
    coalesce(u.record_count, 0) AS unpriced_count, u.first_record_id,
    CASE
      WHEN u.record_count > 0 AND NOT %(bill_unpriced)s THEN 'held:unpriced'
      WHEN d.is_tax_missing THEN 'held:tax'
      WHEN buyer.vat_number = '' THEN 'held:tax:vat'
      WHEN coalesce(d.is_added, true) AND u.record_count > 0 THEN 'held:unpriced'
      WHEN coalesce(d.net_amount, 0) = 0 AND a.wants_zero_invoice THEN 'invoiced:'
      WHEN d.account_id IS NULL THEN 'nothingToBill:empty'
      WHEN d.has_added THEN 'invoiced:'
      -- What only credits bring below the minimum was worth billing.
      WHEN d.net_amount >= 0 AND d.charged >= a.minimum_amount THEN 'invoiced:'
      WHEN abs(d.net_amount) < a.minimum_amount THEN 'nothingToBill:minimum'
      ELSE 'invoiced:'
    END AS verdict
  FROM account a
  LEFT JOIN document d ON d.account_id = a.id
  LEFT JOIN charged c ON c.account_id = a.id
  LEFT JOIN unpriced u ON u.account_id = a.id
  LEFT JOIN LATERAL (
    SELECT c.vat_number FROM customer c WHERE c.id = a.customer_id AND d.is_reverse_charge
  ) buyer ON true
  ORDER BY a.id
)
SELECT
  j.*, split_part(j.verdict, ':', 1) AS outcome,
  CASE WHEN j.verdict LIKE 'held:%%' THEN split_part(j.verdict, ':', 2) ELSE '' END AS held_for,
  CASE WHEN j.verdict = 'invoiced:' THEN nextval(pg_get_serial_sequence('invoice', 'id')) END AS invoice_id,
  concat_ws(' ',
    CASE j.verdict
      WHEN 'held:tax' THEN 'The customer has no tax rate. Give it one.'
      WHEN 'held:tax:vat' THEN
        'The customer owes the tax itself (reverse charge), and its VAT number is missing. Add it to the customer.'
      WHEN 'nothingToBill:empty' THEN 'No usage and no transactions before the cutoff.'
      WHEN 'nothingToBill:minimum' THEN
        'It comes to ' || round(j.net_amount, j.minor_units) || ' ' || j.currency_id || ', less than the minimum of '
        || trim_scale(j.minimum_amount) || ' ' || j.currency_id || '. It waits until it adds up.'
    END,
    CASE WHEN j.unpriced_count > 0 THEN
      j.unpriced_count || CASE j.unpriced_count WHEN 1 THEN ' record has' ELSE ' records have' END
      || ' no rate and ' || CASE j.unpriced_count WHEN 1 THEN 'waits' ELSE 'wait' END
      || '. The first: ' || r.number || ', product ' || p.code
      || CASE r.region WHEN '' THEN '' ELSE ', region ' || r.region END
      || ', on ' || (r.from_date AT TIME ZONE a.timezone)::date || '. '
      || CASE WHEN cardinality(a.rate_card_ids) = 0
           THEN 'The customer has no rate card in ' || a.currency_id || ', and there is no default one.'
           ELSE 'Add a rate to a rate card of the customer.' END
    END
  ) AS reason
FROM judged j
JOIN account a ON a.id = j.id
LEFT JOIN usage_data_record r ON r.id = j.first_record_id
LEFT JOIN product p ON p.id = r.product_id;
-- What is not billed now is left out of what follows.
DELETE FROM produced_line l USING produced_account o WHERE o.id = l.account_id AND o.outcome <> 'invoiced';
DELETE FROM rated r USING produced_account o WHERE o.id = r.account_id AND (o.outcome <> 'invoiced' OR r.amount IS NULL);
-- So that the planner knows how many of each there are.
ANALYZE produced_account (id, outcome), produced_line (id, account_id, line_key, transaction_id)
