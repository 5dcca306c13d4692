"""Addresses of the backend API that are billing's. Each with or without a trailing slash."""

from django.urls import re_path

from billing.api import (
    before_runs,
    charged_again,
    comparison,
    documents,
    prices,
    run_actions,
    run_schedules,
    runs,
    verifications,
)

ONE = r"^billingRuns/(?P<run_id>[^/]+)"
ACCOUNT = rf"{ONE}/accounts/(?P<account_id>[^/]+)"
INVOICE = r"^invoices/(?P<invoice_id>[^/]+)"

urlpatterns = [
    re_path(r"^billingRuns/?$", runs.BillingRunList.as_view()),
    re_path(rf"{ONE}/?$", runs.BillingRunDetail.as_view()),
    re_path(rf"{ONE}/commence/?$", before_runs.CommenceBillingRun.as_view()),
    re_path(rf"{ONE}/approve/?$", run_actions.ApproveBillingRun.as_view()),
    re_path(rf"{ONE}/pause/?$", run_actions.PauseBillingRun.as_view()),
    re_path(rf"{ONE}/resume/?$", run_actions.ResumeBillingRun.as_view()),
    re_path(rf"{ONE}/undo/?$", run_actions.UndoBillingRun.as_view()),
    re_path(rf"{ONE}/retryFailed/?$", run_actions.RetryFailedAccounts.as_view()),
    re_path(rf"{ACCOUNT}/hold/?$", run_actions.HoldRunAccount.as_view()),
    re_path(rf"{ACCOUNT}/release/?$", run_actions.ReleaseRunAccount.as_view()),
    re_path(rf"{ACCOUNT}/splitOff/?$", run_actions.SplitOffRunAccount.as_view()),
    re_path(rf"{ONE}/cancel/?$", runs.CancelBillingRun.as_view()),
    re_path(rf"{ONE}/accounts/?$", runs.BillingRunAccounts.as_view()),
    re_path(rf"{ONE}/preflight/?$", before_runs.BillingRunPreflight.as_view()),
    re_path(rf"{ONE}/preview/?$", before_runs.BillingRunPreview.as_view()),
    re_path(rf"{ONE}/whyNot/?$", before_runs.BillingRunWhyNot.as_view()),
    re_path(rf"{ONE}/comparison/?$", comparison.BillingRunComparison.as_view()),
    re_path(rf"{ONE}/verification/?$", verifications.BillingRunVerification.as_view()),
    re_path(rf"{ONE}/verify/?$", verifications.VerifyBillingRun.as_view()),
    re_path(r"^billingRunSchedules/?$", run_schedules.RunScheduleList.as_view()),
    re_path(r"^billingRunSchedules/(?P<schedule_id>[^/]+)/?$", run_schedules.RunScheduleDetail.as_view()),
    re_path(rf"{INVOICE}/credit/?$", documents.CreditInvoice.as_view()),
    re_path(rf"{INVOICE}/post/?$", documents.PostDocument.as_view()),
    re_path(rf"{INVOICE}/discard/?$", documents.DiscardDocument.as_view()),
    re_path(r"^manualInvoices/?$", documents.ManualInvoices.as_view()),
    re_path(r"^prices/?$", prices.PriceView.as_view()),
    re_path(r"^whatIf/?$", charged_again.WhatIfView.as_view()),
    re_path(r"^priceDifferences/?$", charged_again.PriceDifferencesView.as_view()),
    re_path(r"^priceCorrections/?$", charged_again.PriceCorrectionsView.as_view()),
]
