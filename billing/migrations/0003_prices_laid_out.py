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
  is_direct boolean NOT NULL, bucket_length integer NOT NULL
);
CREATE INDEX price_list_of_card ON price_list (run_id, card_id, product_id);
CREATE UNLOGGED TABLE price_range (
  list_id bigint NOT NULL, bucket text COLLATE "C" NOT NULL, start text COLLATE "C" NOT NULL, prefix_length integer, rate_id bigint, unit_price numeric,
  unit_size numeric, connection_fee numeric, minimum_quantity numeric, first_increment numeric, increment numeric,
  minimum_charge numeric, maximum_charge numeric, rounding_digits smallint, rounding_mode text, start_date date,
  is_counted boolean, is_split boolean, PRIMARY KEY (list_id, bucket, start)
);
CREATE UNLOGGED TABLE price_card (
  run_id bigint NOT NULL, card_id bigint NOT NULL, timezone text NOT NULL, holiday_country text NOT NULL,
  band_set bigint[], first_code bigint, PRIMARY KEY (run_id, card_id)
);
CREATE UNLOGGED TABLE price_hours (
  run_id bigint NOT NULL, code bigint NOT NULL, band_set bigint[] NOT NULL, slot bigint[] NOT NULL, slot_id bigint NOT NULL,
  PRIMARY KEY (run_id, code)
);
CREATE UNLOGGED TABLE price_slot (
  run_id bigint NOT NULL, slot_id bigint NOT NULL, band_set bigint[] NOT NULL, slot bigint[] NOT NULL
)
"""
DROP = """
DROP TABLE price_window, price_list, price_range, price_card, price_hours, price_slot;
DROP SEQUENCE price_list_id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0002_completeness_day"),
        ("catalog", "0002_price_lists"),
        ("invoicing", "0006_counted_charges"),
    ]

    operations = [migrations.RunSQL(CREATE, DROP)]
