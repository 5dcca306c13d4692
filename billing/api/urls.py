"""Addresses of the backend API that are billing's. Each with or without a trailing slash."""

from django.urls import re_path

from billing.api import charged_again, prices, runs

ONE = r"^billingRuns/(?P<run_id>[^/]+)"

urlpatterns = [
    re_path(r"^billingRuns/?$", runs.BillingRunList.as_view()),
    re_path(rf"{ONE}/?$", runs.BillingRunDetail.as_view()),
    re_path(rf"{ONE}/commence/?$", runs.CommenceBillingRun.as_view()),
    re_path(rf"{ONE}/approve/?$", runs.ApproveBillingRun.as_view()),
    re_path(rf"{ONE}/cancel/?$", runs.CancelBillingRun.as_view()),
    re_path(rf"{ONE}/accounts/?$", runs.BillingRunAccounts.as_view()),
    re_path(rf"{ONE}/preflight/?$", runs.BillingRunPreflight.as_view()),
    re_path(rf"{ONE}/preview/?$", runs.BillingRunPreview.as_view()),
    re_path(r"^prices/?$", prices.PriceView.as_view()),
    re_path(r"^whatIf/?$", charged_again.WhatIfView.as_view()),
    re_path(r"^priceDifferences/?$", charged_again.PriceDifferencesView.as_view()),
    re_path(r"^priceCorrections/?$", charged_again.PriceCorrectionsView.as_view()),
]
