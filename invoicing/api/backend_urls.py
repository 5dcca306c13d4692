"""Addresses of the backend API that are invoicing's. Each with or without a trailing slash."""

from django.urls import re_path

from invoicing.api import recurring

urlpatterns = [
    re_path(r"^recurringCharges/?$", recurring.RecurringChargeList.as_view()),
    re_path(r"^recurringCharges/(?P<charge_id>[^/]+)/?$", recurring.RecurringChargeDetail.as_view()),
]
