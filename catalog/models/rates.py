import pghistory
import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.contrib.postgres.indexes import BrinIndex, OpClass
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now, Upper

from catalog.models.fields import CurrentTransactionId, TransactionIdField
from catalog.models.price_terms import PriceTerms, price_constraints
from catalog.models.products import Product
from catalog.models.rate_cards import RateCard
from catalog.models.time_bands import TimeBand
from catalog.models.triggers import never_emptied, touch_updated_at

# What a version keeps as long as it is there; only its end is set.
KEPT = (
    *("rate_card_id", "product_id", "region", "destination_prefix", "time_band_id"),
    *("pricing_model", "unit_price", "unit_size", "connection_fee", "minimum_quantity", "first_increment", "increment"),
    *("minimum_charge", "maximum_charge", "included_quantity", "counted_per", "rounding_digits", "rounding_mode"),
    *("start_date", "created_in"),
)


def rule_key() -> Func:
    """What a rate is for, as one value of fixed size: a GiST index over the columns takes four times as long to write.

    The region comes last, for it alone can have a stroke in it.
    """
    band = Func(F("time_band"), Value(0), function="coalesce")
    return Func(
        *(F("rate_card"), F("product"), band, F("destination_prefix"), F("region")),
        # In the order of the alphabet, as the migration has them: another order is another constraint to Django.
        arg_joiner=" || '/' || ",
        template="(md5(%(expressions)s)::uuid)",
        output_field=models.UUIDField(),
    )


def list_indexes() -> list[models.Index]:
    """What serves each filter of the lists of rates, in the order that the list has then."""
    return [
        models.Index(fields=["rate_card", "id"], name="rate_of_card"),
        models.Index(fields=["product", "id"], name="rate_of_product"),
        models.Index(fields=["rate_card", "destination_prefix", "id"], name="rate_prefix_of_card"),
        models.Index(fields=["destination_prefix", "id"], name="rate_prefix"),
        # By the start of a name, in letters of any case; telephone rates have no region, cloud rates no destination.
        models.Index(OpClass(Upper("region"), "text_pattern_ops"), name="rate_region", condition=~Q(region="")),
        models.Index(
            OpClass(Upper("destination_name"), "text_pattern_ops"),
            name="rate_destination_name",
            condition=~Q(destination_name=""),
        ),
        models.Index(fields=["start_date", "id"], name="rate_start"),
        models.Index(fields=["end_date", "id"], name="rate_end", condition=Q(end_date__isnull=False)),
        models.Index(fields=["updated_at"], name="rate_updated"),
        BrinIndex(fields=["created_at"], name="rate_created", autosummarize=True),
    ]


# By statement: a deck writes 100,000 rates at once, and a trigger of each row would take minutes. Every update changes
# a row, its `updated_at` at least: to compare the rows before and after would be a join without an index.
@pghistory.track(
    pghistory.InsertEvent(level=pgtrigger.Statement),
    pghistory.UpdateEvent(level=pgtrigger.Statement, condition=None),
    exclude=["created_in", "ended_in", "earlier_ends"],
)
class Rate(PriceTerms):
    """One priced rule of a rate card: the price of a product from a date on, for all uses or for some.

    For those in one region, to destinations that begin with a prefix (digits, as in 4477), in the hours of a time band.
    The longest prefix wins, before it the exact region, after it the time band (catalog.engine.selection).

    A version holds from `start_date` on and before `end_date`, dates in the customer's time zone; one that ends on the
    day that it starts on was withdrawn, and holds on no day. Two versions
    of one rule never overlap: the database excludes it. `created_in` and `ended_in` are the transactions that
    wrote the version and its end; a billing run that was commenced before them does not see them, but the end that the
    version had then: `earlier_ends` keeps all, each as {"end_date", "ended_in"}, null where there was none.
    """

    # Their indexes are those of lists.
    rate_card = models.ForeignKey(RateCard, on_delete=models.PROTECT, related_name="rates", db_index=False)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="rates", db_index=False)
    region = models.CharField(max_length=100, blank=True, default="", help_text="Empty: every region.")
    destination_prefix = models.CharField(
        max_length=15, blank=True, default="", help_text="Digits that the destination begins with. Empty: every one."
    )
    destination_name = models.CharField(max_length=200, blank=True, default="", db_default="")
    time_band = models.ForeignKey(TimeBand, on_delete=models.PROTECT, null=True, blank=True, related_name="rates")
    start_date = models.DateField()
    end_date = models.DateField(null=True, blank=True, help_text="First day on which it no longer holds.")
    created_in = TransactionIdField(db_default=CurrentTransactionId(), editable=False)
    ended_in = TransactionIdField(null=True, editable=False)
    earlier_ends = models.JSONField(db_default=[], editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "rate"
        ordering = ["rate_card", "product", "region", "start_date"]
        constraints = [
            ExclusionConstraint(
                name="rate_versions_do_not_overlap",
                expressions=[
                    (rule_key(), RangeOperators.EQUAL),
                    (Func(F("start_date"), F("end_date"), function="daterange"), RangeOperators.OVERLAPS),
                ],
                violation_error_message="Another version of this rate holds in that time. End it first.",
            ),
            models.CheckConstraint(
                condition=Q(end_date__isnull=True) | Q(end_date__gte=F("start_date")),
                name="rate_ends_after_start",
                violation_error_message="A rate does not end before the day that it starts on.",
            ),
            models.CheckConstraint(
                condition=Q(destination_prefix__regex=r"^[0-9]*$"),
                name="rate_destination_prefix_is_digits",
                violation_error_message="A prefix has digits only, without + or spaces.",
            ),
            *price_constraints("rate"),
        ]
        indexes = list_indexes()
        triggers = [
            touch_updated_at(),
            never_emptied(),
            pgtrigger.Trigger(
                name="note_end",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("end_date"),
                condition=pgtrigger.Q(old__end_date__df=pgtrigger.F("new__end_date")),
                func="""
                NEW.ended_in = pg_current_xact_id();
                NEW.earlier_ends = OLD.earlier_ends
                  || jsonb_build_object('end_date', OLD.end_date, 'ended_in', OLD.ended_in::text);
                RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="keep_price",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func=f"""
                IF ({", ".join(f"OLD.{column}" for column in KEPT)})
                   IS DISTINCT FROM ({", ".join(f"NEW.{column}" for column in KEPT)})
                THEN
                  RAISE EXCEPTION 'A rate keeps its price: end rate % and add a new version.', OLD.id
                    USING ERRCODE = 'restrict_violation';
                END IF;
                RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="split_prices_are_per_unit",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__time_band__isnull=False),
                declare=[("card", "text")],
                func="""
                IF NEW.pricing_model <> 'perUnit' OR NEW.included_quantity <> 0 THEN
                  SELECT name INTO card FROM rate_card WHERE id = NEW.rate_card_id AND band_rule = 'split';
                  IF card IS NOT NULL THEN
                    RAISE EXCEPTION 'The rate card % splits uses at the borders of time bands: its rates for time '
                      'bands are per unit, without an included quantity.', card USING ERRCODE = 'restrict_violation';
                  END IF;
                END IF;
                RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        destination = f"{self.destination_prefix} {self.destination_name}".strip()
        return f"{', '.join(filter(None, (destination, self.region))) or 'all uses'} from {self.start_date}"


@pghistory.track(pghistory.InsertEvent(level=pgtrigger.Statement))
class RateTier(models.Model):
    """One step of a graduated or volume price: the unit price of the quantity above `from_quantity`.

    Quantities are counted after the included one. Tiers are the rate's price: they are written with it, in the same
    transaction, and never change.
    """

    rate = models.ForeignKey(Rate, on_delete=models.PROTECT, related_name="tiers")
    from_quantity = models.DecimalField(max_digits=38, decimal_places=18)
    unit_price = models.DecimalField(max_digits=38, decimal_places=18)

    class Meta:
        db_table = "rate_tier"
        ordering = ["rate", "from_quantity"]
        constraints = [
            models.UniqueConstraint(
                fields=["rate", "from_quantity"],
                name="rate_tier_starts_once",
                violation_error_message="Two tiers start at the same quantity.",
            ),
            models.CheckConstraint(
                condition=Q(from_quantity__gt=0),
                name="rate_tier_from_positive",
                violation_error_message="A tier starts above 0: up to the first one the rate's own price holds.",
            ),
        ]
        triggers = [
            never_emptied(),
            pgtrigger.Trigger(
                name="written_with_its_rate",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func="""
                IF TG_OP <> 'INSERT' OR NOT EXISTS (
                  SELECT FROM rate r WHERE r.id = NEW.rate_id AND r.created_in = pg_current_xact_id()
                    AND r.pricing_model IN ('graduated', 'volume')
                ) THEN
                  RAISE EXCEPTION 'Tiers are written with their graduated or volume rate and never change: end it and '
                    'add a new version.' USING ERRCODE = 'restrict_violation';
                END IF;
                RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"from {self.from_quantity}"
