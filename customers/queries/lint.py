"""The whole check of a price list: its prices, who has it, and its examples."""

from datetime import date

from django.db.models import Count, Exists, OuterRef, Q

from catalog.choices import Severity
from catalog.models import RateCard
from catalog.queries.examples import ExampleOutcome, run_examples
from catalog.queries.findings import SHOWN, Finding, Place, counted, in_order
from catalog.queries.lint import lint_card
from customers.models import Customer, CustomerGroup, CustomerRateCard


def lint_rate_card(*, rate_card_id: int, on: date, outcomes: list[ExampleOutcome] | None = None) -> list[Finding]:
    """All that is wrong, or looks so, with a card on a day; errors first.

    `outcomes` are those of its examples on that day, where they are known. Raises `RateCard.DoesNotExist`.
    """
    card = RateCard.objects.get(id=rate_card_id)
    tried = run_examples(rate_card_id=rate_card_id, on=on) if outcomes is None else outcomes
    found = [*_wrong_examples(tried), *_other_currency(card), *_not_used(card)]
    return in_order([*found, *lint_card(rate_card_id=rate_card_id, on=on)])


def _wrong_examples(outcomes: list[ExampleOutcome]) -> list[Finding]:
    wrong = [outcome for outcome in outcomes if not outcome.is_right]
    if not wrong:
        return []
    return [
        Finding(
            rule="wrong_examples",
            severity=Severity.ERROR,
            title="Examples that cost something else",
            sentence=counted(
                len(wrong),
                "example does not cost what it is to cost. Correct the prices, or the example.",
                "examples do not cost what they are to cost. Correct the prices, or the examples.",
            ),
            count=len(wrong),
            places=tuple(
                Place(outcome.sentence, "catalog_rateexample", outcome.example.pk) for outcome in wrong[:SHOWN]
            ),
        )
    ]


def _other_currency(card: RateCard) -> list[Finding]:
    """Customers that have the card though it is in another currency, and groups of which no customer is in it."""
    customers = (
        Customer.objects.filter(customer_rate_cards__rate_card=card)
        .exclude(currency_id=card.currency_id)
        .order_by("account_number")
    )
    groups = (
        CustomerGroup.objects.filter(group_rate_cards__rate_card=card)
        .annotate(all=Count("customers"), alike=Count("customers", filter=Q(customers__currency_id=card.currency_id)))
        .filter(all__gt=0, alike=0)
        .order_by("name")
    )
    count = customers.count() + groups.count()
    if not count:
        return []
    places = [
        *(
            Place(f"{customer} is billed in {customer.currency_id}.", "customers_customer", customer.pk)
            for customer in customers[:SHOWN]
        ),
        *(
            Place(
                f"No customer of the group {group} is billed in {card.currency_id}.",
                "customers_customergroup",
                group.pk,
            )
            for group in groups[:SHOWN]
        ),
    ]
    return [
        Finding(
            rule="wrong_currency",
            severity=Severity.ERROR,
            title="Wrong currency",
            sentence=f"{counted(count, 'customer or group has', 'customers or groups have')} this card, which is in "
            f"{card.currency_id}, and another currency: no run prices their usage by it.",
            count=count,
            places=tuple(places[:SHOWN]),
        )
    ]


def _not_used(card: RateCard) -> list[Finding]:
    is_member = Customer.objects.filter(groups__group_rate_cards__rate_card=OuterRef("pk"))
    is_own = CustomerRateCard.objects.filter(rate_card=OuterRef("pk"))
    used = RateCard.objects.filter(Q(is_default=True) | Exists(is_own) | Exists(is_member), pk=card.pk)
    if used.exists():
        return []
    return [
        Finding(
            rule="not_used",
            severity=Severity.WARNING,
            title="Used by no one",
            sentence="No customer has this card, by itself or by a group, and it is not the default of its currency. "
            "Give it to customers, or nothing is priced by it.",
            count=1,
        )
    ]
