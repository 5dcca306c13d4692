"""How to make a row of every model that has pages in the admin."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count

from django.contrib.auth.models import Group, User
from django.db.models import Model
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask

from billing.models import (
    BillingCycle,
    BillingRun,
    CompletenessDay,
    CustomerBilling,
    InvoiceMessage,
    RateCardCheck,
    RunAccount,
    RunSchedule,
    RunVerification,
    ScheduleMail,
)
from catalog.models import Currency, Product, PublicHoliday, Rate, RateCard, RateDeck, RateExample, TaxRate, TimeBand
from customers.models import (
    AccountsReceivable,
    ApiKey,
    Campaign,
    Customer,
    CustomerGroup,
    Site,
    Subscription,
    SubscriptionAction,
    SubscriptionService,
)
from invoicing.models import (
    AccountCredit,
    Coupon,
    CreditedCharge,
    CreditUse,
    CustomerInvoicing,
    Invoice,
    InvoiceDelivery,
    LegalEntity,
    NumberSeries,
    PriceCorrection,
    RecurringCharge,
    RenderedInvoice,
    Transaction,
    UsageCharge,
)
from reports.models import (
    CountedInvoice,
    CustomerReportProfile,
    InvoiceReportProfile,
    InvoiceUsageReportProfile,
    PendingAge,
    ReportProduction,
    RevenueDay,
    UsageDay,
    UsageReport,
)
from tests import factories
from usage.models import (
    PendingUsage,
    QuarantinedLine,
    SourceSystem,
    UsageConflict,
    UsageDataRecord,
    UsageImport,
    UsageType,
)

NUMBERS: Iterator[int] = count(1)


def interval() -> IntervalSchedule:
    return IntervalSchedule.objects.create(every=next(NUMBERS), period=IntervalSchedule.MINUTES)


def customer_with_terms() -> Customer:
    customer = factories.CustomerFactory(rate_cards=[factories.RateCardFactory()])
    factories.SubscriptionFactory(customer=customer)
    factories.SiteFactory(customer=customer)
    factories.CampaignFactory(customer=customer)
    return customer


def invoice_with_lines() -> Invoice:
    invoice = factories.InvoiceFactory()
    factories.InvoiceLineFactory(invoice=invoice)
    factories.InvoiceTaxFactory(invoice=invoice)
    return invoice


def subscription_with_services() -> Subscription:
    service = factories.SubscriptionServiceFactory()
    factories.SubscriptionActionFactory(subscription=service.subscription)
    return service.subscription


def charge_with_a_period() -> RecurringCharge:
    charge = factories.RecurringChargeFactory()
    factories.TransactionFactory(
        customer=charge.customer,
        kind="RECURRING",
        recurring_charge=charge,
        period_start=date(2026, 1, 1),
        period_end=date(2026, 2, 1),
    )
    return charge


def _redeemed_coupon() -> Coupon:
    coupon: Coupon = factories.CouponFactory()
    factories.AccountCreditFactory(coupon=coupon)
    return coupon


MAKE: dict[type[Model], Callable[[], Model]] = {
    AccountCredit: lambda: factories.CreditUseFactory().credit,
    CountedInvoice: factories.CountedInvoiceFactory,
    Coupon: _redeemed_coupon,
    CreditUse: factories.CreditUseFactory,
    AccountsReceivable: lambda: factories.CustomerFactory().accounts_receivable,
    ApiKey: factories.ApiKeyFactory,
    BillingCycle: factories.BillingCycleFactory,
    BillingRun: factories.BillingRunFactory,
    Campaign: factories.CampaignFactory,
    ClockedSchedule: lambda: ClockedSchedule.objects.create(
        clocked_time=datetime(2026, 2, 1, tzinfo=UTC) + timedelta(days=next(NUMBERS))
    ),
    CompletenessDay: factories.CompletenessDayFactory,
    CreditedCharge: factories.CreditedChargeFactory,
    CrontabSchedule: lambda: CrontabSchedule.objects.create(minute=str(next(NUMBERS) % 60)),
    Customer: customer_with_terms,
    CustomerBilling: factories.CustomerBillingFactory,
    CustomerGroup: factories.CustomerGroupFactory,
    CustomerReportProfile: factories.CustomerReportProfileFactory,
    Group: lambda: Group.objects.create(name=f"Clerks {next(NUMBERS)}"),
    IntervalSchedule: interval,
    Invoice: invoice_with_lines,
    RenderedInvoice: factories.RenderedInvoiceFactory,
    LegalEntity: factories.LegalEntityFactory,
    CustomerInvoicing: factories.CustomerInvoicingFactory,
    InvoiceDelivery: factories.InvoiceDeliveryFactory,
    InvoiceMessage: factories.InvoiceMessageFactory,
    InvoiceReportProfile: factories.InvoiceReportProfileFactory,
    InvoiceUsageReportProfile: factories.InvoiceUsageReportProfileFactory,
    ReportProduction: factories.ReportProductionFactory,
    PendingAge: factories.PendingAgeFactory,
    PendingUsage: factories.PendingUsageFactory,
    PeriodicTask: lambda: PeriodicTask.objects.create(name=f"Task {next(NUMBERS)}", task="x", interval=interval()),
    PriceCorrection: factories.PriceCorrectionFactory,
    Product: factories.ProductFactory,
    PublicHoliday: lambda: factories.PublicHolidayFactory(day=date(2026, 1, 1) + timedelta(days=next(NUMBERS))),
    QuarantinedLine: factories.QuarantinedLineFactory,
    Rate: lambda: factories.RateFactory(product=factories.ProductFactory(code=f"P-{next(NUMBERS)}")),
    RateCard: factories.RateCardFactory,
    RateCardCheck: factories.RateCardCheckFactory,
    RateDeck: lambda: factories.RateDeckLineFactory().deck,
    RateExample: factories.RateExampleFactory,
    RecurringCharge: charge_with_a_period,
    RevenueDay: factories.RevenueDayFactory,
    RunAccount: factories.RunAccountFactory,
    RunSchedule: factories.RunScheduleFactory,
    RunVerification: factories.RunVerificationFactory,
    ScheduleMail: factories.ScheduleMailFactory,
    Site: factories.SiteFactory,
    SourceSystem: lambda: factories.SourceSystemFactory(name=f"Switch {next(NUMBERS)}"),
    Subscription: subscription_with_services,
    SubscriptionAction: factories.SubscriptionActionFactory,
    SubscriptionService: factories.SubscriptionServiceFactory,
    TaxRate: lambda: factories.TaxRateFactory(name=f"Tax {next(NUMBERS)}"),
    TimeBand: lambda: factories.TimeBandHoursFactory().time_band,
    Transaction: factories.TransactionFactory,
    UsageCharge: factories.UsageChargeFactory,
    UsageConflict: factories.UsageConflictFactory,
    UsageDataRecord: factories.UsageDataRecordFactory,
    UsageImport: factories.UsageImportFactory,
    UsageReport: factories.UsageReportFactory,
    UsageType: lambda: factories.UsageTypeFactory(name=f"Type {next(NUMBERS)}"),
    UsageDay: factories.UsageDayFactory,
    User: factories.UserFactory,
}

# Migrations fill these in.
PRESET: tuple[type[Model], ...] = (Currency, NumberSeries)


def make(model: type[Model]) -> Model:
    """A row of a model, with what it needs around it; a present one of those that migrations fill in."""
    if model in PRESET:
        row = model._default_manager.first()
        assert row is not None
        return row
    return MAKE[model]()
