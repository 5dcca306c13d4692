"""`/billing/v3/invoices`, compatible with published clients of Fastly's billing API v3."""

import re
from datetime import date, time, timedelta
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.exceptions import Conflict
from customers.api.fields import cursor, day
from customers.api.lists import Row, cut
from customers.api.views import ApiView, checked_id, checked_query
from invoicing.api.pdf import PdfView
from invoicing.api.serializers import LIST, InvoiceListQuery, InvoicePageSerializer, InvoiceSerializer
from invoicing.models import Invoice
from invoicing.operations.rendering import RenderingFailed, pdf_of
from invoicing.queries import invoices_after, posted_counts, posted_invoices, total_of
from usage.api.record_pages import OTHER_LIST, fingerprint

TAGS = ["invoices"]
# Of what it goes on with: the list, the period's first day, the id.
CURSOR_PARTS = 3


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
        own_customer_id = self.own_customer_id(request)
        matching = _in_periods(posted_invoices(customer_id=own_customer_id), query)
        if "customer_id" in query:
            matching = matching.filter(customer__account_number=query["customer_id"])
        filters = {name: value for name, value in query.items() if name not in {"cursor", "limit"}}
        scope = fingerprint(filters, own_customer_id)
        position = _position(query["cursor"], scope)
        invoices, has_next = cut(invoices_after(matching, position, limit=query["limit"] + 1), query["limit"])
        last = invoices[-1] if has_next else None
        page = {
            "data": invoices,
            "meta": {
                "limit": len(invoices),
                "next_cursor": cursor(of=LIST, after=[scope, last.period_start.isoformat(), last.id]) if last else "",
                "sort": "billing_start_date",
                "total": _total(matching, query, is_of_one=own_customer_id is not None or "customer_id" in query),
            },
        }
        return Response(InvoicePageSerializer(page).data)


class InvoiceDetail(PdfView):
    staff_model = "invoicing.invoice"

    @extend_schema(
        tags=TAGS,
        operation_id="invoices_retrieve",
        summary="Show one posted invoice",
        description="As JSON, or with `Accept: application/pdf` as the PDF. One that is not there yet is made now.",
        responses={
            (200, "application/json"): InvoiceSerializer,
            (200, "application/pdf"): OpenApiTypes.BINARY,
            409: OpenApiResponse({"$ref": "#/components/schemas/Error"}, description="The PDF cannot be made"),
            503: OpenApiResponse({"$ref": "#/components/schemas/Error"}, description="The storage does not answer"),
        },
    )
    def get(self, request: Request, invoice_id: str) -> Response:
        invoice = existing_invoice(invoice_id, customer_id=self.own_customer_id(request))
        if self.is_pdf_wanted(request):
            shown_as = f'inline; filename="{_file_name(invoice)}.pdf"'
            return Response(_pdf(invoice), headers={"Content-Disposition": shown_as})
        return Response(InvoiceSerializer(invoice).data)


def existing_invoice(invoice_id: str, *, customer_id: int | None) -> Invoice:
    """The posted invoice, for that customer's key or, None, for staff. Raises `NotFound`."""
    invoice = posted_invoices(customer_id=customer_id).filter(id=checked_id(invoice_id)).first()
    if invoice is None:
        raise NotFound(f"There is no posted invoice with the id {invoice_id}.")
    return invoice


def _file_name(invoice: Invoice) -> str:
    """Its number, of which signs that a file name cannot have are dashes."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", invoice.number or "")


def _pdf(invoice: Invoice) -> bytes:
    try:
        return pdf_of(invoice)
    except RenderingFailed as error:
        raise Conflict(f"The PDF of {invoice.number} cannot be made: {error}") from error


def _position(after: list[Any] | None, scope: str) -> tuple[date, int] | None:
    """Where the page begins, by a cursor of this very list. Raises `ValidationError` for one of another."""
    if after is None:
        return None
    if len(after) != CURSOR_PARTS or after[0] != scope:
        raise ValidationError({"cursor": [OTHER_LIST]})
    return day(after[1]), after[2]


def _total(matching: QuerySet[Invoice], query: dict[str, Any], *, is_of_one: bool) -> int:
    """How many there are: of one customer they are counted, which are not many; of all, they have been already."""
    return matching.count() if is_of_one else total_of(_in_periods(posted_counts(), query))


def _in_periods(rows: QuerySet[Row], query: dict[str, Any]) -> QuerySet[Row]:
    if "billing_start_date" in query:
        start = query["billing_start_date"]
        # A period starts at midnight: one of the same day starts before a later hour.
        lookup = "period_start__gte" if start.time() == time.min else "period_start__gt"
        rows = rows.filter(**{lookup: start.date()})
    if "billing_end_date" in query and query["billing_end_date"].date() < date.max:
        # Periods are half-open: the last day is the one before `period_end`.
        rows = rows.filter(period_end__lte=query["billing_end_date"].date() + timedelta(days=1))
    return rows
