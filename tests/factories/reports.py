import factory

from reports.choices import ReportFormat
from reports.models import (
    CustomerReportProfile,
    GroupReportProfile,
    InvoiceReportProfile,
    InvoiceUsageReportProfile,
    ReportProduction,
    UsageReport,
)
from tests.factories.customers import CustomerFactory, CustomerGroupFactory
from tests.factories.invoicing import InvoiceFactory
from tests.factories.rows import RowFactory


class InvoiceUsageReportProfileFactory(RowFactory[InvoiceUsageReportProfile]):
    name = factory.Sequence(lambda n: f"Profile {n}")

    class Meta:
        model = InvoiceUsageReportProfile


class CustomerReportProfileFactory(RowFactory[CustomerReportProfile]):
    customer = factory.SubFactory(CustomerFactory)
    profile = factory.SubFactory(InvoiceUsageReportProfileFactory)

    class Meta:
        model = CustomerReportProfile


class GroupReportProfileFactory(RowFactory[GroupReportProfile]):
    group = factory.SubFactory(CustomerGroupFactory)
    profile = factory.SubFactory(InvoiceUsageReportProfileFactory)

    class Meta:
        model = GroupReportProfile


class UsageReportFactory(RowFactory[UsageReport]):
    invoice = factory.SubFactory(InvoiceFactory)
    title = "Summary"
    format = ReportFormat.CSV
    file = "usage-reports/summary.csv"
    byte_count = 10
    sha256 = "0" * 64

    class Meta:
        model = UsageReport


class InvoiceReportProfileFactory(RowFactory[InvoiceReportProfile]):
    invoice = factory.SubFactory(InvoiceFactory)
    profile = factory.SubFactory(InvoiceUsageReportProfileFactory)

    class Meta:
        model = InvoiceReportProfile


class ReportProductionFactory(RowFactory[ReportProduction]):
    """The reports of an invoice that wait to be made: the summary."""

    invoice = factory.SubFactory(InvoiceFactory)
    profile_name = "Standard"
    terms = factory.LazyFunction(lambda: {"customer_usage_reports": ["Summary"]})

    class Meta:
        model = ReportProduction
