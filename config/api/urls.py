"""Addresses of the three APIs and their document. Each with or without a trailing slash, without a redirect."""

from django.urls import include, path, re_path

from config.api.addresses import NoSuchAddress
from config.api.schema import DocumentView, PageView

urlpatterns = [
    re_path(r"^api/schema/?$", DocumentView.as_view(), name="api-schema"),
    re_path(r"^api/docs/?$", PageView.as_view(url_name="api-schema"), name="api-docs"),
    path("backend/api/v1/", include("billing.api.urls")),
    path("backend/api/v1/", include("reports.api.backend_urls")),
    path("backend/api/v1/", include("invoicing.api.backend_urls")),
    path("backend/api/v1/", include("customers.api.urls")),
    path("billing/v3/", include("billing.api.invoice_urls")),
    path("billing/v3/", include("reports.api.invoice_urls")),
    path("billing/v3/", include("invoicing.api.urls")),
    path("usage/v1/", include("usage.api.urls")),
    path("usage/v1/", include("billing.api.usage_urls")),
    re_path(r"^(?:backend|billing|usage|api)(?:/|$)", NoSuchAddress.as_view()),
]
