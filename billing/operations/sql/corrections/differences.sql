-- The charges on posted invoices that would come to something else, or that nothing prices any more. Besides (`is_moved`)
-- those that come to the same, but are counted with the month's usage by another rate, or not any more: from where it
-- goes on counting.
CREATE TEMPORARY TABLE difference (
  customer_id bigint NOT NULL, record_id bigint NOT NULL, charge_id bigint NOT NULL, turn integer NOT NULL,
  invoice_id bigint NOT NULL, number text NOT NULL, currency_id text NOT NULL, product_id bigint NOT NULL,
  tax_rate_id bigint, used_on date NOT NULL, amount_before numeric NOT NULL, rate_id bigint, amount numeric,
  billed_quantity numeric, counted_month date, counted_id bigint, is_moved boolean NOT NULL
) ON COMMIT DROP
