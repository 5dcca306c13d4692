"""Writing on the examples of price lists."""

from decimal import Decimal

from catalog.models import RateExample


def set_example_amount(*, example_id: int, amount: Decimal) -> RateExample:
    """Let an example say that it costs this much from now on. Raises `RateExample.DoesNotExist`."""
    example = RateExample.objects.select_related("rate_card", "product").get(id=example_id)
    example.amount = amount
    example.save(update_fields=["amount"])
    return example
