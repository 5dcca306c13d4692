import hashlib
from datetime import date

import factory
from django.contrib.auth.models import User

from catalog.models import RateCard
from customers.choices import ActionKind, Scope
from customers.models import (
    AccountsReceivable,
    ApiKey,
    Campaign,
    Customer,
    CustomerGroup,
    CustomerRateCard,
    GroupRateCard,
    Site,
    Subscription,
    SubscriptionAction,
    SubscriptionService,
)
from tests.factories.catalog import CurrencyFactory, RateCardFactory, TaxRateFactory
from tests.factories.rows import RowFactory


class UserFactory(RowFactory[User]):
    """A member of staff who may do nothing yet; `is_superuser=True` may do everything."""

    username = factory.Sequence(lambda n: f"clerk{n}")
    is_staff = True

    class Meta:
        model = User


class CustomerGroupFactory(RowFactory[CustomerGroup]):
    name = factory.Sequence(lambda n: f"Group {n}")

    class Meta:
        model = CustomerGroup


class CustomerFactory(RowFactory[Customer]):
    """A customer in USD and UTC with a tax rate of 20 % and accounts receivable.

    `rate_cards=[...]` gives it price lists in that order, `groups=[...]` groups, `accounts_receivable=None` no account.
    """

    account_number = factory.Sequence(lambda n: f"A{n:05}")
    name = factory.LazyAttribute(lambda customer: f"Customer {customer.account_number}")
    currency = factory.SubFactory(CurrencyFactory)
    tax_rate = factory.SubFactory(TaxRateFactory)
    accounts_receivable = factory.RelatedFactory(
        "tests.factories.customers.AccountsReceivableFactory", factory_related_name="customer"
    )

    class Meta:
        model = Customer
        skip_postgeneration_save = True

    @factory.post_generation
    def rate_cards(self: Customer, create: bool, extracted: list[RateCard] | None) -> None:  # noqa: FBT001  factory_boy calls it so
        for position, card in enumerate(extracted or [], start=1):
            CustomerRateCard.objects.create(customer=self, rate_card=card, position=position)

    @factory.post_generation
    def groups(self: Customer, create: bool, extracted: list[CustomerGroup] | None) -> None:  # noqa: FBT001  factory_boy calls it so
        self.groups.set(extracted or [])


class AccountsReceivableFactory(RowFactory[AccountsReceivable]):
    customer = factory.SubFactory(CustomerFactory, accounts_receivable=None)
    number = factory.LazyAttribute(lambda account: f"AR-{account.customer.account_number}")
    name = factory.SelfAttribute("customer.name")

    class Meta:
        model = AccountsReceivable


class SiteFactory(RowFactory[Site]):
    customer = factory.SubFactory(CustomerFactory)
    name = factory.Sequence(lambda n: f"Site {n}")

    class Meta:
        model = Site


class CampaignFactory(RowFactory[Campaign]):
    customer = factory.SubFactory(CustomerFactory)
    name = factory.Sequence(lambda n: f"Campaign {n}")

    class Meta:
        model = Campaign


class CustomerRateCardFactory(RowFactory[CustomerRateCard]):
    customer = factory.SubFactory(CustomerFactory)
    rate_card = factory.SubFactory(RateCardFactory)
    position = 1

    class Meta:
        model = CustomerRateCard


class GroupRateCardFactory(RowFactory[GroupRateCard]):
    group = factory.SubFactory(CustomerGroupFactory)
    rate_card = factory.SubFactory(RateCardFactory)
    position = 1

    class Meta:
        model = GroupRateCard


class SubscriptionFactory(RowFactory[Subscription]):
    customer = factory.SubFactory(CustomerFactory)
    number = factory.Sequence(lambda n: f"S{n:05}")
    start_date = date(2020, 1, 1)

    class Meta:
        model = Subscription


class SubscriptionServiceFactory(RowFactory[SubscriptionService]):
    """A service with a telephone number of its own; `customer=` gives it to that customer."""

    customer = factory.SubFactory(CustomerFactory)
    subscription = factory.SubFactory(SubscriptionFactory, customer=factory.SelfAttribute("..customer"))
    identifier = factory.Sequence(lambda n: f"+4930{n:07}")
    start_date = date(2020, 1, 1)

    class Meta:
        model = SubscriptionService


class SubscriptionActionFactory(RowFactory[SubscriptionAction]):
    subscription = factory.SubFactory(SubscriptionFactory)
    number = factory.Sequence(lambda n: f"ACT{n:05}")
    kind = ActionKind.ACTIVATE
    executed_on = date(2020, 1, 1)

    class Meta:
        model = SubscriptionAction


class ApiKeyFactory(RowFactory[ApiKey]):
    """A customer's key that may read. The key itself is `key-` and its number: `key-0` for the first."""

    class Params:
        key = factory.Sequence(lambda n: f"key-{n}")

    prefix = factory.LazyAttribute(lambda made: made.key[:12])
    key_sha256 = factory.LazyAttribute(lambda made: hashlib.sha256(made.key.encode()).hexdigest())
    customer = factory.SubFactory(CustomerFactory)
    scopes = [Scope.READ]

    class Meta:
        model = ApiKey
