"""How much there is to price for a month to date."""

from usage.models import PendingUsage


def has_more_pending(*, customer_id: int, than: int) -> bool:
    """Whether more than so many records of the customer wait to be billed. No more of them are counted."""
    # In whatever order: the first ones that the index comes to.
    return PendingUsage.objects.filter(customer=customer_id).order_by()[than : than + 1].exists()
