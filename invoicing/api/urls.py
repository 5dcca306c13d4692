"""Addresses of the invoices API. Each with or without a trailing slash."""

from django.urls import re_path

from invoicing.api import invoices

urlpatterns = [
    re_path(r"^invoices/?$", invoices.InvoiceList.as_view()),
    re_path(r"^invoices/(?P<invoice_id>[^/]+)/?$", invoices.InvoiceDetail.as_view()),
]
