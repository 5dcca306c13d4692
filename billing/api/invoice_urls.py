"""Addresses of the invoices API that are billing's. Each with or without a trailing slash."""

from django.urls import re_path

from billing.api import month_to_date

urlpatterns = [re_path(r"^invoices/month-to-date/?$", month_to_date.MonthToDateView.as_view())]
