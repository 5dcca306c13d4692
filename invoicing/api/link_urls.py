"""Addresses that the links in invoice mails lead to."""

from django.urls import path

from invoicing.api import links

urlpatterns = [
    path("<str:token>/", links.invoice_page, name="invoice-link"),
    path("<str:token>/document.pdf", links.invoice_pdf, name="invoice-link-pdf"),
    path("<str:token>/files/<int:place>/", links.invoice_file, name="invoice-link-file"),
]
