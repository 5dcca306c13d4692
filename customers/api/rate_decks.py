"""`import`, `increase` and `export` of `rateCards`: price lists in and out."""

from typing import Any, cast

from django.db import transaction
from django.http import FileResponse, HttpResponseBase, UnreadablePostError
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ParseError, PermissionDenied
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import RateCard
from catalog.operations.rate_decks.activating import activate_deck
from catalog.operations.rate_decks.increasing import IncreaseSelection, prepare_increase
from catalog.operations.rate_decks.preparing import prepare_deck
from catalog.queries.rate_decks import rate_decks
from catalog.queries.rate_export import rate_export
from customers.api import rate_deck_serializers as shapes
from customers.api.bodies import checked_body
from customers.api.idempotency import answer_once, idempotent
from customers.api.price_lists import PriceListView, existing, translated
from customers.api.upload import CSV_TYPES, FORMATS, GZIP_TYPES, MULTIPART, XLSX_TYPES, Upload, uploaded
from customers.api.views import checked_query

TAGS = ["rateDecks"]
TAKEN = {name: FORMATS[name] for name in (*CSV_TYPES, *XLSX_TYPES, *GZIP_TYPES)}
CONTENT = {"type": "string", "format": "binary", "minLength": 1}
FORM = {"type": "object", "properties": {"file": CONTENT}, "required": ["file"], "additionalProperties": False}
ACTIVATING = "catalog.change_ratedeck"


class ImportRates(PriceListView):
    staff_model = "catalog.ratedeck"
    parser_classes = [MultiPartParser]
    is_streamed = True

    @extend_schema(
        tags=TAGS,
        operation_id="rateCards_import",
        summary="Send a price list",
        description=(
            "CSV with a header line, or an XLSX workbook, gzipped or not, as the body or as the one file of a form. "
            "Its columns are those of the export; `mapping` names others. The answer is a rate deck: what is new, "
            "changed, same, closed and refused. Nothing of it holds before it is activated; with `activate=true` "
            "that is done at once, where no line is refused and something changes: else nothing is kept, and the "
            "refusal says why."
        ),
        parameters=[shapes.ImportQuery],
        request={**dict.fromkeys(TAKEN, CONTENT), MULTIPART: FORM},
        responses={201: shapes.RateDeckSerializer},
    )
    def post(self, request: Request, card_id: str) -> HttpResponseBase:
        query = checked_query(shapes.ImportQuery, request)
        if query["activate"] and not request.user.has_perm(ACTIVATING):
            raise PermissionDenied(f"The user {request.user.get_username()} lacks the permission {ACTIVATING}.")
        card = existing(RateCard.objects.all(), card_id)
        try:
            upload = uploaded(request, file_name=query["fileName"], formats=TAKEN, named="text/csv or an XLSX workbook")
            return answer_once(
                self,
                request,
                lambda: translated(lambda: self._taken(request, query, card, upload)),
                digest=upload.stream.sha256_of_all,
            )
        except UnreadablePostError as error:
            raise ParseError("The body broke off before its end: nothing of it was taken.") from error

    @transaction.atomic
    def _taken(self, request: Request, query: dict[str, Any], card: RateCard, upload: Upload) -> Response:
        product = query.get("defaultProduct")
        deck = prepare_deck(
            rate_card_id=card.id,
            file=upload.file,
            file_name=upload.file_name,
            starts_on=query["startsOn"],
            mode=query["mode"],
            mapping=query["mapping"],
            default_product_id=product.id if product else None,
            decimal_sign=query["decimalSign"],
            user_id=self.user_id(request),
            at=timezone.now(),
        )
        if query["activate"]:
            activate_deck(deck_id=deck.id, user_id=self.user_id(request), at=timezone.now())
        return Response(shapes.RateDeckSerializer(rate_decks().get(id=deck.id)).data, status=201)


class IncreaseRates(PriceListView):
    staff_model = "catalog.ratedeck"

    @extend_schema(
        tags=TAGS,
        operation_id="rateCards_increase",
        summary="Raise prices of a card by a percent",
        description="Unit prices, connection fees and tiers. The answer is a rate deck, to be looked at and activated.",
        request=shapes.IncreaseBody,
        responses={201: shapes.RateDeckSerializer},
    )
    @idempotent
    def post(self, request: Request, card_id: str) -> Response:
        body = checked_body(shapes.IncreaseBody, request)
        card = existing(RateCard.objects.all(), card_id)
        product, band = body.get("product"), body.get("timeBand")
        selection = IncreaseSelection(
            product_id=product.id if product else None,
            destination_prefix=body.get("destinationPrefix", ""),
            region=body.get("region"),
            time_band_id=band.id if band else None,
        )
        deck = translated(
            lambda: prepare_increase(
                rate_card_id=card.id,
                percent=body["percent"],
                starts_on=body["startsOn"],
                selection=selection,
                round_to=body.get("roundTo"),
                user_id=self.user_id(request),
                at=timezone.now(),
            )
        )
        return Response(shapes.RateDeckSerializer(rate_decks().get(id=deck.id)).data, status=201)


class ExportRates(PriceListView):
    staff_model = "catalog.rate"

    @extend_schema(
        tags=TAGS,
        operation_id="rateCards_export",
        summary="The prices of a card as CSV",
        description="In the columns that `import` reads.",
        parameters=[shapes.ExportQuery],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request, card_id: str) -> HttpResponseBase:
        on = checked_query(shapes.ExportQuery, request).get("on") or timezone.localdate()
        card = existing(RateCard.objects.all(), card_id)
        file = rate_export(rate_card_id=card.id, on=on)
        return FileResponse(
            cast("Any", file), as_attachment=True, filename=f"rates-{card.id}-{on}.csv", content_type="text/csv"
        )
