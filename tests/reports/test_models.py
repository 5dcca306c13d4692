from collections.abc import Callable

import pytest

from reports.choices import (
    CallColumn,
    CallDetail,
    CustomerUsageReportPreset,
    ReportFormat,
    TransactionColumn,
    UsageReportPreset,
)
from tests.factories import (
    CustomerReportProfileFactory,
    GroupReportProfileFactory,
    InvoiceReportProfileFactory,
    InvoiceUsageReportProfileFactory,
    UsageReportFactory,
)
from tests.refusals import refused

pytestmark = pytest.mark.django_db

PRESETS = {
    "customer_usage_reports": ("report_profile_customer_reports_known", CustomerUsageReportPreset.values),
    "site_usage_reports": ("report_profile_site_reports_known", UsageReportPreset.values),
    "campaign_usage_reports": ("report_profile_campaign_reports_known", UsageReportPreset.values),
    "number_usage_reports": ("report_profile_number_reports_known", UsageReportPreset.values),
    "include_transaction_columns": ("report_profile_transaction_columns_known", TransactionColumn.values),
    "include_call_columns": ("report_profile_call_columns_known", CallColumn.values),
    "call_details": ("report_profile_call_details_known", CallDetail.values),
    "formats": ("report_profile_formats_known", ReportFormat.values),
}


@pytest.mark.parametrize("field", PRESETS)
def test_a_profile_takes_all_presets_and_no_other_value(field: str) -> None:
    constraint, values = PRESETS[field]
    InvoiceUsageReportProfileFactory(**{field: values})
    with refused(by=constraint):
        InvoiceUsageReportProfileFactory(**{field: [*values[:1], "Colour"]})


def test_only_a_customer_is_broken_down_into_its_parts() -> None:
    with refused(by="report_profile_site_reports_known"):
        InvoiceUsageReportProfileFactory(site_usage_reports=[CustomerUsageReportPreset.BY_SITE])


@pytest.mark.parametrize(
    ("constraint", "make"),
    [
        ("report_profile_availability_known", lambda: InvoiceUsageReportProfileFactory(availability="Sometimes")),
        ("report_profile_splits_by_known", lambda: InvoiceUsageReportProfileFactory(splits_by="hue")),
        ("report_profile_threshold_not_negative", lambda: InvoiceUsageReportProfileFactory(threshold_amount=-1)),
        ("usage_report_format_known", lambda: UsageReportFactory(format="doc")),
        ("usage_report_size_not_negative", lambda: UsageReportFactory(byte_count=-1)),
    ],
)
def test_the_database_refuses_impossible_values(constraint: str, make: Callable[[], object]) -> None:
    with refused(by=constraint):
        make()


@pytest.mark.parametrize(
    ("constraint", "make", "same"),
    [
        ("invoice_usage_report_profile_name", InvoiceUsageReportProfileFactory, ["name"]),
        ("customer_report_profile_customer", CustomerReportProfileFactory, ["customer"]),
        ("invoice_report_profile_invoice", InvoiceReportProfileFactory, ["invoice"]),
        ("customer_group_report_profile_group", GroupReportProfileFactory, ["group"]),
        ("usage_report_once_per_invoice", UsageReportFactory, ["invoice", "title", "format"]),
    ],
)
def test_what_is_there_once(constraint: str, make: Callable[..., object], same: list[str]) -> None:
    first = make()
    with refused(by=constraint):
        make(**{name: getattr(first, name) for name in same})


def test_there_is_one_default_profile() -> None:
    InvoiceUsageReportProfileFactory(is_default=True)
    InvoiceUsageReportProfileFactory()
    with refused(by="report_profile_one_default"):
        InvoiceUsageReportProfileFactory(is_default=True)
