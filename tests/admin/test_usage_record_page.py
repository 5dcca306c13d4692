"""The page of a usage data record: what can be done in each state, what it says it will do, and what it does."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from catalog.models import Product
from customers.models import Customer
from invoicing.models import Transaction
from tests.billing.taken import cancel, state
from tests.factories import ProductFactory, SubscriptionServiceFactory
from tests.runs import FEBRUARY, bill, customer_at, invoice, lines, pending, post, use
from usage.models import UsageDataRecord, UsageDataRecordChange

pytestmark = pytest.mark.django_db(transaction=True)

STEPS = ("post", "reject", "adjust", "bill", "credit", "exclude", "cancel")


def page(record: UsageDataRecord, name: str = "change") -> str:
    return reverse(f"admin:usage_usagedatarecord_{name}", args=[record.pk])


def messages_of(response: object) -> list[str]:
    return [str(message) for message in response.context["messages"]]  # type: ignore[attr-defined]


def offered(client: Client, record: UsageDataRecord) -> list[str]:
    text = client.get(page(record)).content.decode()
    return [name for name in STEPS if f'"{page(record, name)}"' in text]


def consequence(client: Client, record: UsageDataRecord, name: str) -> str:
    """What the page of a step says that it will do."""
    text = client.get(page(record, name)).content.decode()
    said = text.split('id="consequence">', 1)[1].split("</p>", 1)[0]
    return said.replace("&#x27;", "'")


@pytest.fixture
def acme() -> tuple[Customer, Product]:
    """A customer who pays 0.003 USD a second."""
    return customer_at("0.003", name="Acme")


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("DRAFT", ["post", "reject", "credit", "exclude"]),
        ("REJECTED", []),
        ("CANCELLED", []),
        ("pending", ["adjust", "credit", "exclude", "cancel"]),
        ("excluded", ["adjust", "bill", "credit", "cancel"]),
        ("draft invoice", ["adjust", "credit", "exclude", "cancel"]),
        ("posted invoice", ["adjust", "cancel"]),
        ("taken back", []),
    ],
)
def test_buttons_are_those_that_can_be_pressed(
    admin_client: Client, acme: tuple[Customer, Product], where: str, names: list[str]
) -> None:
    fields: dict[str, Any] = {"life_cycle_state": where} if where.isupper() else {}
    if where == "excluded":
        fields["billing_directive"] = "NOT_TO_BE_BILLED"
    record = use(*acme, 40, number="R1", **fields)
    if where in {"draft invoice", "posted invoice", "taken back"}:
        run = bill()
        if where != "draft invoice":
            post(run)
        if where == "taken back":
            cancel(record)
    assert offered(admin_client, record) == names
    # The pages of the others send back, with the reason.
    for name in set(STEPS) - set(names):
        response = admin_client.get(page(record, name), follow=True)
        assert response.redirect_chain == [(page(record), 302)]
        assert "is not for this record any more." in messages_of(response)[0]


def test_cancel_says_what_it_will_do_wherever_the_record_is(
    admin_client: Client, acme: tuple[Customer, Product]
) -> None:
    record = use(*acme, 40, number="R1")
    assert consequence(admin_client, record, "cancel") == (
        "It is pending: it leaves the inbox of billing and is never billed. A cancelled record stays cancelled."
    )
    run = bill(name="January 2026")
    assert consequence(admin_client, record, "cancel") == (
        "It is on a draft invoice of run January 2026: the draft is made anew without it. "
        "A cancelled record stays cancelled."
    )
    post(run)
    # 40 x 0.003 = 0.12.
    assert consequence(admin_client, record, "cancel") == (
        "It is on posted invoice INV-000001: an opposite charge of -0.12 USD waits for the customer's next invoice. "
        "A cancelled record stays cancelled."
    )


def test_a_record_on_a_posted_invoice_is_cancelled_with_its_reason(
    admin_client: Client, admin_user: User, acme: tuple[Customer, Product]
) -> None:
    record = use(*acme, 40, number="R1")
    post(bill())
    response = admin_client.post(page(record, "cancel"), {"reason": "Sent twice."}, follow=True)
    assert messages_of(response) == ["Record R1 is cancelled."]
    change = UsageDataRecordChange.objects.get()
    assert (change.record, change.kind, change.user, change.reason) == (record, "CANCELLED", admin_user, "Sent twice.")
    text = response.content.decode()
    waiting = "Cancelled: the opposite of its charge of 0.12 USD on invoice INV-000001 waits"
    assert waiting in text
    assert "Sent twice." in text
    assert reverse("admin:invoicing_transaction_change", args=[Transaction.objects.get().pk]) in text
    february = bill(**FEBRUARY)
    post(february)
    assert "on invoice INV-000001 is on invoice CN-000001." in admin_client.get(page(record)).content.decode()


def test_a_draft_is_posted_or_rejected_with_a_reason(admin_client: Client, acme: tuple[Customer, Product]) -> None:
    good, bad = (use(*acme, 40, number=number, life_cycle_state="DRAFT") for number in ("R1", "R2"))
    response = admin_client.post(page(good, "post"), {"reason": ""}, follow=True)
    assert messages_of(response) == ["Record R1 is posted."]
    assert pending(acme[0]) == {good.pk}
    unsaid = admin_client.post(page(bad, "reject"), {"reason": " "})
    assert "This field is required." in unsaid.content.decode()
    assert state(bad) == "DRAFT"
    admin_client.post(page(bad, "reject"), {"reason": "Test call."})
    assert state(bad) == "REJECTED"


def test_a_record_is_directed_otherwise(admin_client: Client, acme: tuple[Customer, Product]) -> None:
    record = use(*acme, 40, number="R1")
    assert consequence(admin_client, record, "exclude") == "It is on no invoice. It leaves the inbox of billing."
    response = admin_client.post(page(record, "exclude"), {"reason": "Goodwill."}, follow=True)
    assert messages_of(response) == ["Record R1 is not to be billed now."]
    assert "billing directive: TO_BE_BILLED → NOT_TO_BE_BILLED" in response.content.decode()
    admin_client.post(page(record, "credit"), {"reason": ""})
    assert pending(acme[0]) == {record.pk}


def adjust_form(client: Client, record: UsageDataRecord) -> dict[str, str]:
    """The form of an adjustment as it opens."""
    form = client.get(page(record, "adjust")).context["form"]
    return {field.html_name: "" if field.value() is None else str(field.value()) for field in form}


def test_adjusting_changes_what_was_changed_and_leads_to_the_successor(
    admin_client: Client, acme: tuple[Customer, Product]
) -> None:
    record = use(*acme, 600, number="R1", region="DE", udf_string_2="kept", udf_float_1=Decimal("1.50"))
    form = adjust_form(admin_client, record)
    assert (form["usage_amount"], form["region"], form["udf_float_1"]) == ("600", "DE", "1.5")
    response = admin_client.post(
        page(record, "adjust"), form | {"usage_amount": "60", "reason": "Ten times too much."}, follow=True
    )
    assert messages_of(response) == ["Record R1 is cancelled. This is its successor R1~2."]
    right = UsageDataRecord.objects.get(number="R1~2")
    assert response.redirect_chain == [(page(right), 302)]
    text = response.content.decode()
    assert "usage amount: 600 → 60" in text
    assert "Ten times too much." in text
    assert page(record) in text
    assert (right.udf_string_2, right.udf_float_1, right.from_date) == ("kept", Decimal("1.5"), record.from_date)
    assert page(right) in admin_client.get(page(record)).content.decode()


def test_related_objects_are_named_in_an_adjustment(admin_client: Client, acme: tuple[Customer, Product]) -> None:
    record = use(*acme, 600, number="R1")
    other = SubscriptionServiceFactory(identifier="+49302")
    ProductFactory(code="DATA")
    form = adjust_form(admin_client, record) | {"subscription_service": "+49302", "product": "DATA"}
    admin_client.post(page(record, "adjust"), form)
    right = UsageDataRecord.objects.get(number="R1~2")
    assert (right.subscription_service, right.customer, right.product.code) == (other, other.customer, "DATA")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({}, "Record R1 says all of that already: nothing would change."),
        ({"subscription_service": "+0"}, "No service had this identifier on 2026-01-15."),
        ({"product": "NONE"}, "There is no product for usage with this code."),
        ({"usage_amount": "twelve"}, "Enter a number."),
        ({"to_date": "2026-01-14 12:00:00"}, "It would end at 2026-01-14T12:00:00Z, before it starts"),
    ],
)
def test_an_adjustment_that_cannot_be_says_why_and_keeps_what_was_filled_in(
    admin_client: Client, acme: tuple[Customer, Product], change: dict[str, str], sentence: str
) -> None:
    record = use(*acme, 600, number="R1")
    form = adjust_form(admin_client, record) | change | {"reason": "Because."}
    text = admin_client.post(page(record, "adjust"), form).content.decode()
    assert sentence in text
    assert "Because." in text
    assert state(record) == "POSTED"


@pytest.mark.parametrize("name", STEPS)
def test_a_button_of_an_earlier_state_gives_a_message(
    admin_client: Client, acme: tuple[Customer, Product], name: str
) -> None:
    record = use(*acme, 40, number="R1")
    form = adjust_form(admin_client, record) | {"region": "EU", "reason": "Too late."}
    cancel(record)
    response = admin_client.post(page(record, name), form, follow=True)
    (message,) = messages_of(response)
    assert message.startswith("Record R1 is cancelled: only a")


@pytest.mark.parametrize("name", STEPS)
def test_who_may_only_look_has_no_buttons_and_changes_nothing(
    viewer_client: Client, acme: tuple[Customer, Product], name: str
) -> None:
    record = use(*acme, 40, number="R1", life_cycle_state="DRAFT" if name in {"post", "reject"} else "POSTED")
    before = state(record)
    assert offered(viewer_client, record) == []
    assert viewer_client.post(page(record, name), {"reason": "No."}).status_code == 302
    assert state(record) == before
    assert not UsageDataRecordChange.objects.exists()


@pytest.mark.parametrize("name", STEPS)
def test_who_is_not_staff_is_sent_to_the_login(client: Client, acme: tuple[Customer, Product], name: str) -> None:
    record = use(*acme, 40)
    response = client.post(page(record, name), {"reason": "No."})
    assert response["Location"].startswith(reverse("admin:login"))


def test_an_opposite_charge_is_looked_at_only(admin_client: Client, acme: tuple[Customer, Product]) -> None:
    record = use(*acme, 40, number="R1")
    post(bill())
    cancel(record)
    address = reverse("admin:invoicing_transaction_change", args=[Transaction.objects.get().pk])
    text = admin_client.get(address).content.decode()
    assert "the charge of record R1" in text
    assert 'name="_save"' not in text
    assert "deletelink" not in text
    add = admin_client.get(reverse("admin:invoicing_transaction_add")).content.decode()
    assert 'value="MANUAL"' in add
    assert 'value="REVERSAL"' not in add


def test_the_next_invoice_shows_what_was_taken_back(admin_client: Client, acme: tuple[Customer, Product]) -> None:
    record = use(*acme, 40, number="R1")
    post(bill())
    cancel(record)
    document = invoice(bill(**FEBRUARY), acme[0])
    assert lines(document) == ["-1 x 0.12 = -0.12 -> -0.12"]
    text = admin_client.get(reverse("admin:invoicing_invoice_change", args=[document.pk])).content.decode()
    assert "Usage R1 of 2026-01-15 taken back (invoice INV-000001)" in text
