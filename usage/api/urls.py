"""Addresses of the usage API. Each with or without a trailing slash."""

from django.urls import re_path

from usage.api import conflicts, imports, quarantine, record_actions, records

RECORD = r"^usage_data_records/(?P<record_id>[^/]+)"
IMPORT = r"^usage_imports/(?P<import_id>[^/]+)"
LINE = rf"{IMPORT}/quarantine/(?P<line_id>[^/]+)"

urlpatterns = [
    re_path(r"^usage_data_records/?$", records.UsageDataRecordList.as_view()),
    re_path(rf"{RECORD}/post/?$", record_actions.PostRecord.as_view()),
    re_path(rf"{RECORD}/reject/?$", record_actions.RejectRecord.as_view()),
    re_path(r"^usage_imports/?$", imports.UsageImportList.as_view()),
    re_path(rf"{IMPORT}/?$", imports.UsageImportDetail.as_view()),
    re_path(rf"{IMPORT}/reprocess/?$", quarantine.ReprocessImport.as_view()),
    re_path(rf"{IMPORT}/quarantine/?$", quarantine.UsageImportQuarantine.as_view()),
    re_path(rf"{LINE}/?$", quarantine.QuarantinedLineDetail.as_view()),
    re_path(rf"{LINE}/dismiss/?$", quarantine.DismissQuarantinedLine.as_view()),
    re_path(rf"{LINE}/reprocess/?$", quarantine.ReprocessQuarantinedLine.as_view()),
    re_path(rf"{IMPORT}/conflicts/?$", conflicts.UsageImportConflicts.as_view()),
    re_path(rf"{IMPORT}/conflicts/(?P<conflict_id>[^/]+)/decide/?$", conflicts.DecideConflict.as_view()),
]
