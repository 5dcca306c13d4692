"""What the pricing engine makes of a drawn customer's records."""

from datetime import date

import catalog.engine.pricing as engine
from tests.properties.company import CUTOFF, Party, local_date
from usage.choices import BillingDirective
from usage.models import UsageDataRecord


def is_due(record: UsageDataRecord, cutoff: date = CUTOFF) -> bool:
    """Whether a run with this cutoff takes the record."""
    return record.billing_directive != BillingDirective.NOT_TO_BE_BILLED and record.billing_effective_date < cutoff


def engine_price(party: Party, record: UsageDataRecord) -> engine.PricedUsage | None:
    """The engine's price of a billable record; None if nothing prices it."""
    day = local_date(party.customer, record.from_date)
    rate = engine.select_rate(party.card_ids, party.rates, record.product.code, record.region, day)
    if rate is None and record.total_amount is None:
        return None
    return engine.price_usage(
        engine.Usage(quantity=record.usage_amount, directive=record.billing_directive, own_amount=record.total_amount),
        rate,
    )
