"""`rateDecks` of the backend API: listed, looked at, compared, activated, discarded."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import RateDeck
from catalog.operations.rate_decks.activating import activate_deck, discard_deck
from catalog.operations.rate_decks.comparing import re_compare_deck
from catalog.queries.rate_decks import deck_lines, line_counts, rate_decks
from customers.api import rate_deck_serializers as shapes
from customers.api.bodies import checked_body
from customers.api.idempotency import idempotent
from customers.api.lists import BACKEND_LIST_HEADERS, backend_list, cut
from customers.api.price_lists import PriceListView, existing, page, translated
from customers.api.views import checked_query

TAGS = ["rateDecks"]


class RateDeckView(PriceListView):
    staff_model = "catalog.ratedeck"
    staff_verbs = {"POST": "change"}

    def decided(self, deck_id: str, decide: Callable[[RateDeck], RateDeck]) -> Response:
        """Do it, and show the deck. Raises `NotFound`, `Conflict`."""
        deck = existing(rate_decks(), deck_id)
        translated(lambda: decide(deck))
        return Response(shapes.RateDeckSerializer(rate_decks().get(id=deck.id)).data)


class RateDeckList(RateDeckView):
    @extend_schema(
        tags=TAGS,
        operation_id="rateDecks_list",
        summary="List rate decks by id",
        parameters=[shapes.DecksQuery, *BACKEND_LIST_HEADERS],
        responses={200: shapes.ListedRateDeckSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        query = checked_query(shapes.DecksQuery, request)
        named = {"rate_card__name": query.get("rateCard"), "state": query.get("state")}
        decks = RateDeck.objects.filter(**{name: value for name, value in named.items() if value is not None})
        return page(request, decks, shapes.ListedRateDeckSerializer, query)


class RateDeckDetail(RateDeckView):
    @extend_schema(
        tags=TAGS,
        operation_id="rateDecks_retrieve",
        summary="Show one rate deck",
        responses={200: shapes.RateDeckSerializer},
    )
    def get(self, request: Request, deck_id: str) -> Response:  # noqa: ARG002
        return Response(shapes.RateDeckSerializer(existing(rate_decks(), deck_id)).data)


class RateDeckLines(RateDeckView):
    @extend_schema(
        tags=TAGS,
        operation_id="rateDecks_lines",
        summary="List the lines of a rate deck by id",
        parameters=[shapes.LinesQuery, *BACKEND_LIST_HEADERS],
        responses={200: shapes.RateDeckLineSerializer(many=True)},
    )
    def get(self, request: Request, deck_id: str) -> Response:
        query = checked_query(shapes.LinesQuery, request)
        deck, outcome = existing(rate_decks(), deck_id), query.get("outcome", "")
        counts = line_counts(deck.id)
        rows = deck_lines(deck.id, outcome=outcome).filter(id__gt=query.get("idAfter", 0)).order_by("id")
        found, has_next = cut(rows[: query["limit"] + 1], query["limit"])
        return backend_list(
            request,
            [shapes.RateDeckLineSerializer(line).data for line in found],
            has_next=has_next,
            total=counts[outcome] if outcome else sum(counts.values()),
            last_id=found[-1].id if found else None,
        )


class CompareRateDeck(RateDeckView):
    @extend_schema(
        tags=TAGS,
        operation_id="rateDecks_compare",
        summary="Compare a rate deck with its card as it is now",
        request=None,
        responses={200: shapes.RateDeckSerializer},
    )
    @idempotent
    def post(self, request: Request, deck_id: str) -> Response:  # noqa: ARG002
        return self.decided(deck_id, lambda deck: re_compare_deck(deck_id=deck.id))


class ActivateRateDeck(RateDeckView):
    @extend_schema(
        tags=TAGS,
        operation_id="rateDecks_activate",
        summary="Let the prices of a rate deck hold",
        description="A 409 where lines are refused, where it changes nothing, where it is decided already, where "
        "the card has changed since the deck was compared with it: compare it again then; and where an example of the "
        "card would cost something else or a check finds an error in its lines.",
        request=shapes.ActivateBody,
        responses={200: shapes.RateDeckSerializer},
    )
    @idempotent
    def post(self, request: Request, deck_id: str) -> Response:
        body: dict[str, Any] = checked_body(shapes.ActivateBody, request)
        return self.decided(
            deck_id,
            lambda deck: activate_deck(
                deck_id=deck.id,
                user_id=self.user_id(request),
                at=timezone.now(),
                without_refused=body["withoutRefused"],
                despite_objections=body["despiteObjections"],
            ),
        )


class DiscardRateDeck(RateDeckView):
    @extend_schema(
        tags=TAGS,
        operation_id="rateDecks_discard",
        summary="Throw a rate deck away",
        request=None,
        responses={200: shapes.RateDeckSerializer},
    )
    @idempotent
    def post(self, request: Request, deck_id: str) -> Response:  # noqa: ARG002
        return self.decided(deck_id, lambda deck: discard_deck(deck_id=deck.id))
