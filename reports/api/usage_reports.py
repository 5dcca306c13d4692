"""The usage report files that go with an invoice, in the invoices API."""

from functools import partial
from pathlib import PurePosixPath
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.fields import IdField
from customers.api.views import ApiView, checked_id
from invoicing.adapters.storage import opened
from invoicing.api.invoices import TAGS, existing_invoice
from reports.choices import ReportFormat
from reports.models import UsageReport
from reports.queries.files import media_type


class UsageReportFileSerializer(serializers.Serializer[UsageReport]):
    """One file, and where it is to be had with the same key."""

    id = IdField()
    title = serializers.CharField()
    format = serializers.ChoiceField(
        choices=ReportFormat.choices, help_text="Of the report; of one in an archive, that of what is in it."
    )
    is_zipped = serializers.BooleanField(help_text="Whether the file is a ZIP archive with the report in it.")
    byte_count = serializers.IntegerField()
    sha256 = serializers.CharField(help_text="Of the file, in hexadecimal digits.")
    url = serializers.SerializerMethodField()

    def get_url(self, report: UsageReport) -> str:
        return f"{self.context['address']}/{report.pk}"


class UsageReportListSerializer(serializers.Serializer[Any]):
    data = UsageReportFileSerializer(many=True)  # type: ignore[assignment]  # a member of that name


class UsageReportView(ApiView):
    staff_model = "reports.usagereport"
    more_permissions = ("invoicing.view_invoice",)

    def reports(self, request: Request, invoice_id: str) -> QuerySet[UsageReport]:
        """Those of the posted invoice, for whom may see it. Raises `NotFound`."""
        invoice = existing_invoice(invoice_id, customer_id=self.own_customer_id(request))
        return UsageReport.objects.filter(invoice=invoice).order_by("title", "format")


class UsageReportList(UsageReportView):
    @extend_schema(
        tags=TAGS,
        operation_id="invoices_usage_reports",
        summary="List the usage report files of one posted invoice",
        responses={200: UsageReportListSerializer},
    )
    def get(self, request: Request, invoice_id: str) -> Response:
        reports = self.reports(request, invoice_id)
        address = request.build_absolute_uri(request.path.rstrip("/"))
        return Response(UsageReportListSerializer({"data": reports}, context={"address": address}).data)


class UsageReportFile(UsageReportView):
    @extend_schema(
        tags=TAGS,
        operation_id="invoices_usage_report_file",
        summary="Get one usage report file",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, invoice_id: str, report_id: str) -> Any:
        report = self.reports(request, invoice_id).filter(pk=checked_id(report_id)).first()
        if report is None:
            raise NotFound(f"Invoice {invoice_id} has no usage report with the id {report_id}.")
        name = PurePosixPath(str(report.file.name)).name
        try:
            content = opened(partial(report.file.open, "rb"))
        except FileNotFoundError as error:
            raise NotFound(f"The file {name} is not where it was stored. Ask who runs this server.") from error
        return FileResponse(content, as_attachment=True, filename=name, content_type=media_type(report))
