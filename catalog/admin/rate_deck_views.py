"""The pages and buttons of rate decks: import, columns, percent increase, export, activation."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from catalog.admin.base import LargeTableAdmin, change_url
from catalog.admin.checks import shown_deck_check
from catalog.admin.figures import exact
from catalog.admin.rate_deck_forms import ColumnsForm, IncreaseForm, UploadForm
from catalog.admin.rate_deck_page import is_read, may_add, may_decide
from catalog.choices import DeckState
from catalog.models import RateCard, RateDeck
from catalog.operations.rate_decks.activating import activate_deck, discard_deck
from catalog.operations.rate_decks.comparing import re_compare_deck
from catalog.operations.rate_decks.errors import DeckConflict, DeckObjected, DeckRefused, DeckStale
from catalog.operations.rate_decks.increasing import IncreaseSelection, prepare_increase
from catalog.operations.rate_decks.preparing import map_deck, prepare_deck
from catalog.queries.rate_decks import first_lines, line_counts, rate_decks
from catalog.queries.rate_export import rate_export

FIRST_LINES = 5


class RateDeckViews(LargeTableAdmin):
    """Views of decks, of a card and of one deck. Each asks for the right to it; refusals become messages."""

    def get_urls(self) -> list[URLPattern]:
        of_card: dict[str, Callable[..., HttpResponseBase]] = {
            "import": self.import_view,
            "increase": self.increase_view,
            "export": self.export_view,
        }
        of_deck: dict[str, Callable[..., HttpResponseBase]] = {
            "columns": self.columns_view,
            "check": self.check_view,
            "compare": self.compare_view,
            "activate": self.activate_view,
            "discard": self.discard_view,
        }
        wrap = self.admin_site.admin_view
        return [
            *(path(f"of/<int:card_id>/{n}/", wrap(v), name=f"catalog_ratedeck_{n}") for n, v in of_card.items()),
            *(path(f"<int:deck_id>/{n}/", wrap(v), name=f"catalog_ratedeck_{n}") for n, v in of_deck.items()),
            *super().get_urls(),
        ]

    def import_view(self, request: HttpRequest, card_id: int) -> HttpResponse:
        """Take a file, keep its lines, and show what they would do, or ask which column is what."""
        card = self._card(request, card_id)
        form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
        if form.is_valid():
            values = form.cleaned_data
            try:
                deck = prepare_deck(
                    rate_card_id=card.pk,
                    file=values["file"].file,
                    file_name=values["file"].name,
                    starts_on=values["starts_on"],
                    mode=values["mode"],
                    default_product_id=values["default_product"].pk if values["default_product"] else None,
                    decimal_sign=values["decimal_sign"],
                    is_kept_unread=True,
                    user_id=request.user.pk,
                    at=timezone.now(),
                )
            except DeckRefused as refused:
                form.add_error("file", str(refused))
            else:
                name = "change" if is_read(deck) else "columns"
                return HttpResponseRedirect(reverse(f"admin:catalog_ratedeck_{name}", args=[deck.pk]))
        return self._form(request, card, form, "import.html", f"Import a price list into {card.name}")

    def increase_view(self, request: HttpRequest, card_id: int) -> HttpResponse:
        """Ask for a percent and a selection; make a deck of them, to be looked at."""
        card = self._card(request, card_id)
        form = IncreaseForm(request.POST or None)
        if form.is_valid():
            values = form.cleaned_data
            selection = IncreaseSelection(
                product_id=values["product"].pk if values["product"] else None,
                destination_prefix=values["destination_prefix"],
                region=values["region"] or None,
                time_band_id=values["time_band"].pk if values["time_band"] else None,
            )
            try:
                deck = prepare_increase(
                    rate_card_id=card.pk,
                    percent=values["percent"],
                    starts_on=values["starts_on"],
                    selection=selection,
                    round_to=values["round_to"],
                    user_id=request.user.pk,
                    at=timezone.now(),
                )
            except DeckRefused as refused:
                form.add_error(None, str(refused))
            else:
                return HttpResponseRedirect(change_url(deck))
        return self._form(request, card, form, "increase.html", f"Percent increase of {card.name}")

    def export_view(self, request: HttpRequest, card_id: int) -> FileResponse:
        """The prices of a card that hold today."""
        if not request.user.has_perm("catalog.view_rate"):
            raise PermissionDenied
        card = get_object_or_404(RateCard, id=card_id)
        today = timezone.localdate()
        file = rate_export(rate_card_id=card.pk, on=today)
        return FileResponse(
            cast("Any", file), as_attachment=True, filename=f"{card.name} {today}.csv", content_type="text/csv"
        )

    def columns_view(self, request: HttpRequest, deck_id: int) -> HttpResponse:
        """Which column of the file each field comes from; then its lines are read anew."""
        deck = self._deck(deck_id, is_allowed=may_add(request))
        if deck.state != DeckState.READY or not deck.columns:
            return HttpResponseRedirect(change_url(deck))
        form = ColumnsForm(deck, request.POST or None)
        if form.is_valid():
            product = form.cleaned_data["default_product"]
            try:
                map_deck(deck_id=deck.pk, mapping=form.mapping(), default_product_id=product.pk if product else None)
            except (DeckRefused, DeckConflict) as refused:
                form.add_error(None, str(refused))
            else:
                return HttpResponseRedirect(change_url(deck))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Columns of {deck.name}",
            "deck": deck,
            "form": form,
            "first_lines": first_lines(deck.pk, count=FIRST_LINES),
            "back": change_url(deck),
        }
        return render(request, "admin/catalog/ratedeck/columns.html", context)

    def check_view(self, request: HttpRequest, deck_id: int) -> HttpResponse:
        """What a check finds and examples cost with the deck in place. The page of a deck loads it by itself."""
        deck = self._deck(deck_id, is_allowed=request.user.has_perm("catalog.view_ratedeck"))
        return render(request, "admin/catalog/check.html", shown_deck_check(deck.pk))

    def compare_view(self, request: HttpRequest, deck_id: int) -> HttpResponse:
        """Compare a deck with its card as it is now."""
        deck = self._deck(deck_id, is_allowed=may_add(request))
        if request.method == "POST":
            try:
                re_compare_deck(deck_id=deck.pk)
            except DeckConflict as refused:
                messages.error(request, str(refused))
            else:
                messages.info(request, "It is compared with the card as it is now.")
        return HttpResponseRedirect(change_url(deck))

    def activate_view(self, request: HttpRequest, deck_id: int) -> HttpResponse:
        """Ask once more; then let the prices hold."""
        deck = self._deck(deck_id, is_allowed=may_decide(request))
        counts = line_counts(deck.pk)
        if request.method == "POST":
            try:
                activate_deck(
                    deck_id=deck.pk,
                    user_id=request.user.pk,
                    at=timezone.now(),
                    # The question that was answered says how many are left out.
                    without_refused=str(counts["REFUSED"]) == request.GET.get("without"),
                    despite_objections="despite" in request.GET,
                )
            except DeckStale as stale:
                with suppress(DeckConflict):  # of whom decided it meanwhile
                    re_compare_deck(deck_id=deck.pk)
                messages.warning(request, f"{stale} It was compared again just now.")
            except DeckObjected as objected:
                messages.warning(request, str(objected))
                return HttpResponseRedirect(f"{request.path}?without={counts['REFUSED']}&despite=objections")
            except DeckConflict as refused:
                messages.error(request, str(refused))
            else:
                messages.success(request, f"The prices of {deck.name} hold from {deck.starts_on} on.")
            return HttpResponseRedirect(change_url(deck))
        left_out = counts["REFUSED"]
        if left_out and "without" not in request.GET:
            return HttpResponseRedirect(f"{request.path}?without={left_out}")
        return self._confirmation(
            request,
            deck,
            "Activate"
            + (" all the same" if "despite" in request.GET else "")
            + (" without the refused lines" if left_out else ""),
            f"From {deck.starts_on} on these prices hold in {deck.rate_card.name}. Billing runs that are commenced "
            "already keep theirs."
            + (
                f" Refused lines that are left out: {exact(left_out)}; what they name stays as it is."
                if left_out
                else ""
            ),
            verb_class="tb-primary",
        )

    def discard_view(self, request: HttpRequest, deck_id: int) -> HttpResponse:
        """Ask once more; then throw the deck away."""
        deck = self._deck(deck_id, is_allowed=may_decide(request))
        if request.method == "POST":
            try:
                discard_deck(deck_id=deck.pk)
            except DeckConflict as refused:
                messages.error(request, str(refused))
            else:
                messages.success(request, f"{deck.name} is discarded. Nothing of it was taken.")
            return HttpResponseRedirect(change_url(deck))
        return self._confirmation(request, deck, "Discard", "The deck's lines are thrown away. No price changes.")

    def _confirmation(
        self, request: HttpRequest, deck: RateDeck, verb: str, question: str, verb_class: str = "tb-danger"
    ) -> HttpResponse:
        counts = line_counts(deck.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{verb}: {deck.name}",
            "facts": [(name.capitalize(), exact(count)) for name, count in counts.items()],
            "question": question,
            "verb": verb,
            "verb_class": verb_class,
            "back": change_url(deck),
        }
        return render(request, "admin/confirmation.html", context)

    def _form(self, request: HttpRequest, card: RateCard, form: Any, template: str, title: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "card": card,
            "form": form,
            "back": change_url(card),
        }
        return render(request, f"admin/catalog/ratedeck/{template}", context)

    @staticmethod
    def _card(request: HttpRequest, card_id: int) -> RateCard:
        if not may_add(request):
            raise PermissionDenied
        return get_object_or_404(RateCard, id=card_id)

    @staticmethod
    def _deck(deck_id: int, *, is_allowed: bool) -> RateDeck:
        if not is_allowed:
            raise PermissionDenied
        return get_object_or_404(rate_decks(), id=deck_id)
