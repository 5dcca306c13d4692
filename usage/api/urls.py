"""Addresses of the usage API. Each with or without a trailing slash."""

from django.urls import re_path

from usage.api import imports, records

ONE = r"^usage_imports/(?P<import_id>[^/]+)"

urlpatterns = [
    re_path(r"^usage_data_records/?$", records.UsageDataRecordList.as_view()),
    re_path(r"^usage_data_records/(?P<record_id>[^/]+)/?$", records.UsageDataRecordDetail.as_view()),
    re_path(r"^usage_imports/?$", imports.UsageImportList.as_view()),
    re_path(rf"{ONE}/?$", imports.UsageImportDetail.as_view()),
    re_path(rf"{ONE}/quarantine/?$", imports.UsageImportQuarantine.as_view()),
    re_path(rf"{ONE}/conflicts/?$", imports.UsageImportConflicts.as_view()),
]
