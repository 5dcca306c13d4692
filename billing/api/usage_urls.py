"""Addresses of the usage API that are billing's: what is done to records that an invoice may have,
why they cost what they cost, and whether all usage is accounted for.
"""

from django.urls import re_path

from billing.api import completeness, explained_records, usage_records

ONE = r"^usage_data_records/(?P<record_id>[^/]+)"

urlpatterns = [
    re_path(r"^completeness/?$", completeness.CompletenessView.as_view()),
    re_path(rf"{ONE}/?$", explained_records.UsageDataRecordDetail.as_view()),
    re_path(rf"{ONE}/explanation/?$", explained_records.UsageDataRecordExplanation.as_view()),
    re_path(rf"{ONE}/cancel/?$", usage_records.CancelRecord.as_view()),
    re_path(rf"{ONE}/adjust/?$", usage_records.AdjustRecord.as_view()),
    re_path(rf"{ONE}/set_to_be_billed/?$", usage_records.SetToBeBilled.as_view()),
    re_path(rf"{ONE}/set_creditable/?$", usage_records.SetCreditable.as_view()),
    re_path(rf"{ONE}/set_not_billable/?$", usage_records.SetNotBillable.as_view()),
]
