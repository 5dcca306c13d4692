from collections.abc import Callable
from datetime import date

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import ProtectedError

from customers.models import Customer, IdempotentRequest, SubscriptionService
from tests.factories import (
    AccountsReceivableFactory,
    ApiKeyFactory,
    CampaignFactory,
    CustomerFactory,
    CustomerRateCardFactory,
    GroupRateCardFactory,
    SiteFactory,
    SubscriptionActionFactory,
    SubscriptionFactory,
    SubscriptionServiceFactory,
    UsageDataRecordFactory,
    UserFactory,
)
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("constraint", "make"),
    [
        ("customer_account_number_not_empty", lambda: CustomerFactory(account_number="")),
        ("customer_status_known", lambda: CustomerFactory(status="ASLEEP")),
        ("customer_minimum_not_negative", lambda: CustomerFactory(minimum_invoice_amount=-1)),
        ("customer_minimum_rule_known", lambda: CustomerFactory(minimum_rule="ask")),
        ("customer_padded_to_a_minimum", lambda: CustomerFactory(minimum_rule="pad")),
        ("customer_fee_is_positive", lambda: CustomerFactory(minimum_rule="fee", minimum_invoice_amount=50)),
        ("customer_fee_is_positive", lambda: CustomerFactory(minimum_rule="fee", low_usage_fee=5)),
        (
            "customer_fee_is_positive",
            lambda: CustomerFactory(minimum_rule="fee", minimum_invoice_amount=50, low_usage_fee=0),
        ),
        ("accounts_receivable_state_known", lambda: AccountsReceivableFactory(life_cycle_state="LOST")),
        ("subscription_state_known", lambda: SubscriptionFactory(life_cycle_state="LOST")),
        ("subscription_ends_after_start", lambda: SubscriptionFactory(end_date=date(2020, 1, 1))),
        ("service_state_known", lambda: SubscriptionServiceFactory(life_cycle_state="LOST")),
        ("service_ends_after_start", lambda: SubscriptionServiceFactory(end_date=date(2020, 1, 1))),
        ("service_identifier_not_empty", lambda: SubscriptionServiceFactory(identifier="")),
        ("subscription_action_kind_known", lambda: SubscriptionActionFactory(kind="DANCE")),
        ("subscription_action_state_known", lambda: SubscriptionActionFactory(life_cycle_state="LOST")),
        ("api_key_scopes_known", lambda: ApiKeyFactory(scopes=["read", "everything"])),
        ("api_key_has_one_owner", lambda: ApiKeyFactory(customer=None)),
        ("api_key_has_one_owner", lambda: ApiKeyFactory(user=UserFactory())),
    ],
)
def test_the_database_refuses_impossible_values(constraint: str, make: Callable[[], object]) -> None:
    with refused(by=constraint):
        make()


@pytest.mark.parametrize(
    ("constraint", "make", "same"),
    [
        ("customer_account_number", CustomerFactory, ["account_number"]),
        ("site_name_once_per_customer", SiteFactory, ["customer", "name"]),
        ("campaign_name_once_per_customer", CampaignFactory, ["customer", "name"]),
        ("accounts_receivable_number", AccountsReceivableFactory, ["number"]),
        ("customer_rate_card_position_once", CustomerRateCardFactory, ["customer", "position"]),
        ("group_rate_card_position_once", GroupRateCardFactory, ["group", "position"]),
        ("subscription_number", SubscriptionFactory, ["number"]),
        ("subscription_action_number", SubscriptionActionFactory, ["number"]),
        ("api_key_key_sha256", ApiKeyFactory, ["key_sha256"]),
    ],
)
def test_what_is_there_once(constraint: str, make: Callable[..., object], same: list[str]) -> None:
    first = make()
    with refused(by=constraint):
        make(**{name: getattr(first, name) for name in same})


def test_a_customer_has_one_account() -> None:
    account = AccountsReceivableFactory()
    with refused(by="accounts_receivable_customer"):
        AccountsReceivableFactory(customer=account.customer, number="another")


def test_a_customer_or_group_has_a_rate_card_once() -> None:
    card = CustomerRateCardFactory(position=1)
    with refused(by="customer_rate_card_once"):
        CustomerRateCardFactory(customer=card.customer, rate_card=card.rate_card, position=2)
    group_card = GroupRateCardFactory(position=1)
    with refused(by="group_rate_card_once"):
        GroupRateCardFactory(group=group_card.group, rate_card=group_card.rate_card, position=2)


@pytest.mark.parametrize(
    ("start", "end"),
    [(date(2026, 6, 30), None), (date(2020, 1, 1), date(2026, 1, 2)), (date(2026, 3, 1), date(2026, 3, 2))],
)
def test_an_identifier_belongs_to_one_service_at_a_time(start: date, end: date | None) -> None:
    SubscriptionServiceFactory(identifier="+4930123", start_date=date(2026, 1, 1), end_date=date(2026, 7, 1))
    with refused(by="service_identifier_has_one_owner"):
        SubscriptionServiceFactory(identifier="+4930123", start_date=start, end_date=end)


def test_an_identifier_may_go_to_another_customer_on_the_day_it_ends() -> None:
    SubscriptionServiceFactory(identifier="+4930123", end_date=date(2026, 7, 1))
    SubscriptionServiceFactory(identifier="+4930123", start_date=date(2026, 7, 1))
    assert SubscriptionService.objects.filter(identifier="+4930123").count() == 2


def test_a_service_has_the_customer_of_its_subscription() -> None:
    subscription, other = SubscriptionFactory(), CustomerFactory()
    with refused(by="service_has_its_subscriptions_customer"):
        SubscriptionServiceFactory(subscription=subscription, customer=other)
    SubscriptionServiceFactory(subscription=subscription, customer=subscription.customer)
    with refused(by="service_has_its_subscriptions_customer"):
        type(subscription).objects.filter(id=subscription.id).update(customer=other)


def test_a_customer_with_usage_is_not_deleted() -> None:
    record = UsageDataRecordFactory()
    with pytest.raises(ProtectedError):
        record.customer.delete()
    with refused(by="customer .* is used by usage_data_record"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM customer WHERE id = %s", [record.customer_id])


def test_a_service_with_usage_is_not_deleted() -> None:
    record = UsageDataRecordFactory()
    with refused(by="subscription_service .* is used by usage_data_record"):
        record.subscription_service.delete()
    with refused(by="subscription_service .* is used by usage_data_record"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM subscription_service WHERE id = %s", [record.subscription_service_id])


def test_an_action_with_usage_is_not_deleted() -> None:
    action = SubscriptionActionFactory()
    UsageDataRecordFactory(subscription_action=action)
    with refused(by="subscription_action .* is used by usage_data_record"):
        action.delete()


def test_a_customer_without_anything_may_be_deleted() -> None:
    customer = CustomerFactory(accounts_receivable=None)
    customer.delete()
    assert not Customer.objects.exists()


def test_a_key_has_one_answer_for_each_idempotency_key() -> None:
    asked = {"api_key": ApiKeyFactory(), "key": "k1", "request_line": "POST /", "body_sha256": "0" * 64, "status": 201}
    IdempotentRequest.objects.create(**asked, response_body="{}")
    with refused(by="idempotent_request_key_once"):
        IdempotentRequest.objects.create(**asked, response_body="{}")


def test_a_time_zone_is_one_that_exists() -> None:
    timezone = Customer._meta.get_field("timezone")
    assert timezone.clean("Europe/Berlin", None) == "Europe/Berlin"
    with pytest.raises(ValidationError, match="Europe/Atlantis"):
        timezone.clean("Europe/Atlantis", None)


def test_who_changed_a_customer_is_kept() -> None:
    customer = CustomerFactory(name="Old")
    Customer.objects.filter(id=customer.id).update(name="New")
    events = apps.get_model("customers", "CustomerEvent").objects.filter(pgh_obj=customer).order_by("pgh_id")
    assert [(event.pgh_label, event.name) for event in events] == [("insert", "Old"), ("update", "New")]
