"""Lists of rates, of which a card may have 100,000: found and ordered by what an index serves."""

from datetime import date

from django.db.models import Q, QuerySet

from catalog.models import Product, Rate
from catalog.queries.keyset import KeyOrder

NEWEST_FIRST = KeyOrder(("pk",), is_descending=True)
BY_PREFIX = KeyOrder(("destination_prefix", "pk"))
LAST_TO_START = KeyOrder(("start_date", "pk"), is_descending=True)
LAST_TO_END = KeyOrder(("end_date", "pk"), is_descending=True)


def digits_in(term: str) -> str:
    """The digits of a search term that is a telephone number or the start of one, such as +44 77; empty if none is."""
    digits = term.replace(" ", "").removeprefix("+")
    return digits if digits.isascii() and digits.isdecimal() else ""


def beginning_with(digits: str) -> Q:
    """Rates whose prefix begins with these digits: a range of texts, in the order of an index on prefixes."""
    last = digits.rstrip("9")
    # Behind 44 comes 45, behind 449 comes 45, and behind 99 there are no digits.
    behind = f"{last[:-1]}{int(last[-1]) + 1}" if last else None
    return Q(destination_prefix__gte=digits) & (Q(destination_prefix__lt=behind) if behind else Q())


def matching(term: str) -> Q:
    """Rates of a search term: by the start of their prefix, by product, or by the start of region or destination."""
    if digits := digits_in(term):
        return beginning_with(digits)
    products = list(Product.objects.filter(code__iexact=term).values_list("id", flat=True))
    if products:
        return Q(product_id__in=products)
    return (Q(region__istartswith=term) & ~Q(region="")) | (
        Q(destination_name__istartswith=term) & ~Q(destination_name="")
    )


def in_force(rates: QuerySet[Rate], *, on: date) -> QuerySet[Rate]:
    """Versions that hold on a day."""
    return rates.filter(Q(end_date__isnull=True) | Q(end_date__gt=on), start_date__lte=on)
