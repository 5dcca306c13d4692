import factory

from reports.choices import ReportFormat
from reports.models import CustomerReportProfile, GroupReportProfile, InvoiceUsageReportProfile, UsageReport
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
