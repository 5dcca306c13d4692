"""Preset values of the catalogue."""

import zoneinfo

from django.db import models

# Years in which prices hold, where a person says the day: nothing that is reckoned from them leaves the calendar.
EARLIEST_YEAR, LATEST_YEAR = 1970, 2999


class ProductKind(models.TextChoices):
    """What a product is sold as."""

    USAGE = "USAGE", "Usage"
    RECURRING = "RECURRING", "Recurring"
    ONE_OFF = "ONE_OFF", "One-off"


class PricingModel(models.TextChoices):
    """How a rate turns a quantity into an amount. Values as the API names them."""

    PER_UNIT = "perUnit", "Per unit"
    GRADUATED = "graduated", "Graduated"
    VOLUME = "volume", "Volume"
    PACKAGE = "package", "Package"


class RoundingMode(models.TextChoices):
    """How a rate rounds the amount of one record, where it rounds it at all."""

    HALF_UP = "halfUp", "Half up (away from zero)"
    HALF_EVEN = "halfEven", "Half to even"
    UP = "up", "Up (away from zero)"
    DOWN = "down", "Down (towards zero)"


class CountedPer(models.TextChoices):
    """Whose usage of a month is counted together, where a price depends on how much there was."""

    CUSTOMER = "customer", "Customer"
    SUBSCRIPTION = "subscription", "Subscription: its services share it"
    SERVICE = "service", "Service: each by itself"


class BandRule(models.TextChoices):
    """Which time band prices a use that lasts from one into another."""

    START = "start", "The one that it starts in"
    SPLIT = "split", "Each its part: it is split at the border"


class FileFormat(models.TextChoices):
    CSV = "CSV", "CSV"
    NDJSON = "NDJSON", "JSON lines"
    XLSX = "XLSX", "Excel workbook"


class DeckMode(models.TextChoices):
    """What a rate deck says of the rates that it does not name."""

    CHANGES = "changes", "They stay: the deck has only what changes"
    FULL = "full", "They end: the deck is the whole price list"


class DeckState(models.TextChoices):
    """Where a rate deck stands. Only an activated one has changed prices."""

    READY = "READY", "Ready"
    ACTIVATED = "ACTIVATED", "Activated"
    DISCARDED = "DISCARDED", "Discarded"


class DeckLineOutcome(models.TextChoices):
    """What a line of a rate deck does to its card on the day of activation."""

    NEW = "NEW", "New"
    CHANGED = "CHANGED", "Changed"
    SAME = "SAME", "Same"
    CLOSED = "CLOSED", "Closed"
    REFUSED = "REFUSED", "Refused"


class Severity(models.TextChoices):
    """How bad what a check of a price list found is: an error is wrong in any case, a warning may be meant so."""

    ERROR = "error", "Error"
    WARNING = "warning", "Warning"


def time_zones() -> list[str]:
    """The names of the IANA time zones, without those that PostgreSQL does not know, such as the machine's own."""
    return sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})


class TaxTreatment(models.TextChoices):
    """Why a document has the tax that it has. What is not standard has a percent of 0 and a note that says why."""

    STANDARD = "standard", "Taxed"
    REVERSE_CHARGE = "reverseCharge", "Reverse charge: the customer owes the tax"
    EXEMPT = "exempt", "Exempt"
