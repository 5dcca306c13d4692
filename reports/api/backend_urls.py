"""Addresses of the backend API that are of reports. Each with or without a trailing slash."""

from django.urls import re_path

from reports.api import profiles

PROFILES = "^invoiceUsageReportCustomerProfiles"

urlpatterns = [
    re_path(rf"{PROFILES}/?$", profiles.ProfileList.as_view()),
    re_path(rf"{PROFILES}/presets/?$", profiles.ProfilePresets.as_view()),
    re_path(rf"{PROFILES}/(?P<profile_id>[^/]+)/give/?$", profiles.ProfileGiving.as_view()),
    re_path(rf"{PROFILES}/(?P<profile_id>[^/]+)/take/?$", profiles.ProfileTaking.as_view()),
    re_path(rf"{PROFILES}/(?P<profile_id>[^/]+)/?$", profiles.ProfileDetail.as_view()),
]
