"""Addresses of the invoices API that are of reports. Each with or without a trailing slash."""

from django.urls import re_path

from reports.api import usage_reports

OF_ONE = r"^invoices/(?P<invoice_id>[^/]+)/usage-reports"

urlpatterns = [
    re_path(rf"{OF_ONE}/?$", usage_reports.UsageReportList.as_view()),
    re_path(rf"{OF_ONE}/(?P<report_id>[^/]+)/?$", usage_reports.UsageReportFile.as_view()),
]
