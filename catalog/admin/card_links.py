"""What the page of a rate card leads to. Whoever has pages about a card adds a link to `CARD_LINKS`, from any app."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from catalog.admin.base import list_url
from catalog.models import RateCard


@dataclass(frozen=True, slots=True)
class CardLink:
    """A link: what it says, where it leads for a card, and the permission that it is for."""

    text: str
    address: Callable[[RateCard], str]
    permission: str


CARD_LINKS: list[CardLink] = [
    CardLink("Rates", lambda card: list_url("catalog_rate", rate_card__id__exact=card.pk), "catalog.view_rate"),
    CardLink("Add a rate", lambda card: f"{reverse('admin:catalog_rate_add')}?rate_card={card.pk}", "catalog.add_rate"),
]


def links_of(card: RateCard, request: HttpRequest) -> list[tuple[str, str]]:
    """Address and text of each link that the user may follow."""
    return [(found.address(card), found.text) for found in CARD_LINKS if request.user.has_perm(found.permission)]
