"""`/billing/v3/invoices`, compatible with published clients of Fastly's billing API v3."""

from datetime import date, time, timedelta
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.fields import cursor, day
from customers.api.lists import cut
from customers.api.views import ApiView, checked_id, checked_query
from invoicing.api.serializers import LIST, InvoiceListQuery, InvoicePageSerializer, InvoiceSerializer
from invoicing.models import Invoice
from invoicing.queries import invoices_after, posted_invoices

TAGS = ["invoices"]


class InvoiceList(ApiView):
    staff_model = "invoicing.invoice"

    @extend_schema(
        tags=TAGS,
        operation_id="invoices_list",
        summary="List posted invoices, newest period first",
        description="A customer's key sees its own; a key of staff all, or one customer's by `customer_id`.",
        parameters=[InvoiceListQuery],
        responses={200: InvoicePageSerializer},
    )
    def get(self, request: Request) -> Response:
        query = checked_query(InvoiceListQuery, request)
        matching = _matching(posted_invoices(customer_id=self.own_customer_id(request)), query)
        after = query["cursor"]
        position = (day(after[0]), after[1]) if after else None
        invoices, has_next = cut(invoices_after(matching, position, limit=query["limit"] + 1), query["limit"])
        last = invoices[-1] if has_next else None
        page = {
            "data": invoices,
            "meta": {
                "limit": len(invoices),
                "next_cursor": cursor(of=LIST, after=[last.period_start.isoformat(), last.id]) if last else "",
                "sort": "billing_start_date",
                "total": matching.count(),
            },
        }
        return Response(InvoicePageSerializer(page).data)


class InvoiceDetail(ApiView):
    staff_model = "invoicing.invoice"

    @extend_schema(
        tags=TAGS,
        operation_id="invoices_retrieve",
        summary="Show one posted invoice",
        responses={200: InvoiceSerializer},
    )
    def get(self, request: Request, invoice_id: str) -> Response:
        invoice = posted_invoices(customer_id=self.own_customer_id(request)).filter(id=checked_id(invoice_id)).first()
        if invoice is None:
            raise NotFound(f"There is no posted invoice with the id {invoice_id}.")
        return Response(InvoiceSerializer(invoice).data)


def _matching(invoices: QuerySet[Invoice], query: dict[str, Any]) -> QuerySet[Invoice]:
    if "customer_id" in query:
        invoices = invoices.filter(customer__account_number=query["customer_id"])
    if "billing_start_date" in query:
        start = query["billing_start_date"]
        # A period starts at midnight: one of the same day starts before a later hour.
        lookup = "period_start__gte" if start.time() == time.min else "period_start__gt"
        invoices = invoices.filter(**{lookup: start.date()})
    if "billing_end_date" in query and query["billing_end_date"].date() < date.max:
        # Periods are half-open: the last day is the one before `period_end`.
        invoices = invoices.filter(period_end__lte=query["billing_end_date"].date() + timedelta(days=1))
    return invoices
