-- What becomes of the usage taken. A record that no rate prices has no amount. `line_key` is what records on one line have
-- in common: joined by that one column, the planner knows what comes out; six columns it takes for independent, and would
-- compare every record with every line. Should two lines ever have the same key, the counts of charges.sql differ, and
-- the next try hashes anew.
CREATE TEMPORARY TABLE rated (
  account_id bigint, customer_id bigint, record_id bigint, pending_row tid, posted_in xid8, product_id bigint, region text,
  usage_type_id bigint, late_period date, quantity numeric, billed_quantity numeric, rate_id bigint, amount numeric,
  line_key bigint, counted_month date, counted_id bigint, quantity_before numeric, quantity_total numeric,
  included_quantity numeric, correction numeric
) ON COMMIT DROP
