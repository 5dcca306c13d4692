from django.db import migrations

# Prices as rating reads them, made for a run and forgotten with its end (billing.operations.rating). They are copies:
# unlogged, and without the triggers and constraints that the rates themselves have.
CREATE = """
CREATE SEQUENCE price_list_id;
CREATE UNLOGGED TABLE price_window (
  run_id bigint PRIMARY KEY, from_day date NOT NULL, until_day date NOT NULL
);
CREATE UNLOGGED TABLE price_list (
  id bigint PRIMARY KEY, run_id bigint NOT NULL, card_id bigint NOT NULL, product_id bigint NOT NULL, region text NOT NULL,
  band_id bigint NOT NULL, from_day date NOT NULL, until_day date NOT NULL, has_prefixes boolean NOT NULL,
  is_direct boolean NOT NULL, page_starts bigint[] NOT NULL
) WITH (toast_tuple_target = 8160);
CREATE INDEX price_list_of_card ON price_list (run_id, card_id, product_id);
CREATE UNLOGGED TABLE price_page (
  list_id bigint NOT NULL, number integer NOT NULL, starts bigint[] NOT NULL, rate_ids bigint[] NOT NULL,
  terms_ids integer[] NOT NULL, PRIMARY KEY (list_id, number)
) WITH (toast_tuple_target = 8160);
CREATE UNLOGGED TABLE price_terms (
  run_id bigint NOT NULL, id integer NOT NULL, prefix_length integer NOT NULL, unit_price numeric NOT NULL,
  unit_size numeric NOT NULL, connection_fee numeric NOT NULL, minimum_quantity numeric NOT NULL,
  first_increment numeric, increment numeric, minimum_charge numeric, maximum_charge numeric, rounding_digits smallint,
  rounding_mode text NOT NULL, start_date date NOT NULL, is_counted boolean NOT NULL, is_split boolean NOT NULL,
  PRIMARY KEY (run_id, id)
);
CREATE UNLOGGED TABLE price_card (
  run_id bigint NOT NULL, card_id bigint NOT NULL, timezone text NOT NULL, holiday_country text NOT NULL,
  band_set bigint[] NOT NULL, first_code bigint NOT NULL, PRIMARY KEY (run_id, card_id)
);
CREATE UNLOGGED TABLE price_hours (
  run_id bigint NOT NULL, code bigint NOT NULL, band_set bigint[] NOT NULL, slot bigint[] NOT NULL, slot_id bigint NOT NULL,
  PRIMARY KEY (run_id, code)
);
CREATE UNLOGGED TABLE price_slot (
  run_id bigint NOT NULL, slot_id bigint NOT NULL, band_set bigint[] NOT NULL, slot bigint[] NOT NULL
);
-- Where a destination, or the first destination of a prefix, stands in the order of their digits: a whole number, equal
-- for equal digits only. Fifteen digits, filled up with zeros behind, then how many they are. A "+" in front is none of
-- them; of other texts, those before the first other sign count.
CREATE FUNCTION tollbook_destination_code(text) RETURNS bigint IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN
  CASE
    WHEN $1 = '' THEN 0
    WHEN $1 ~ '^[0-9]+$' THEN left($1 || '000000000000000', 15)::bigint * 16 + least(length($1), 15)
    WHEN $1 ~ '^[+][0-9]+$' THEN left($1 || '000000000000000', 16)::bigint * 16 + least(length($1) - 1, 15)
    ELSE left(substring($1 from '^[+]?([0-9]*)') || '000000000000000', 15)::bigint * 16
      + least(length(substring($1 from '^[+]?([0-9]*)')), 15)
  END
"""
DROP = """
DROP FUNCTION tollbook_destination_code;
DROP TABLE price_window, price_list, price_page, price_terms, price_card, price_hours, price_slot;
DROP SEQUENCE price_list_id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0002_completeness_day"),
        ("catalog", "0002_price_lists"),
        ("invoicing", "0006_counted_charges"),
    ]

    operations = [migrations.RunSQL(CREATE, DROP)]
