"""What might be wrong with the customers of a run and their usage before it is commenced."""

from billing.choices import PreflightVerdict
from billing.models import BillingRun
from billing.queries.preflight_checks import PreflightCheck, counted, either, listed, warn_of
from billing.queries.preflight_usage import NAMED, Found, RunUsage

# Late usage comes with every run; from this part of all usage on, in percent, something was kept back.
MUCH_LATE_PERCENT = 1


def customer_checks(run: BillingRun, usage: RunUsage) -> tuple[PreflightCheck, ...]:
    """The checks of the customers that the run would take, and of their usage."""
    return (
        _unpriced_usage(run, usage),
        _no_price_list(usage),
        _no_default_card(usage),
        _no_tax_rate(usage),
        _closed_customers(usage),
        _ended_services(usage),
        _late_usage(usage),
    )


def _unpriced_usage(run: BillingRun, usage: RunUsage) -> PreflightCheck:
    found = usage.of("unpriced_usage")
    model, query = _inbox_of(found)
    return PreflightCheck(
        code="unpriced_usage",
        title="Usage without a rate",
        verdict=warn_of(found.record_count),
        count=found.record_count,
        detail=_unpriced_in_words(run, usage, found)
        if found.count
        else "Every record that waits has a rate, or brings its own amount.",
        model=model,
        query=query,
    )


def _unpriced_in_words(run: BillingRun, usage: RunUsage, found: Found) -> str:
    ((number, product, region, destination, day, products),) = usage.rows("first_unpriced")
    to = f" to {destination}" if destination else ""
    where = f" in {region}" if region else ""
    waits = either(found.record_count, "The record waits", "The records wait")
    accounts = either(found.count, "its account is", "their accounts are")
    becomes = "the rest is billed" if run.bill_unpriced else f"and so does the rest: {accounts} held"
    return (
        f"{counted(found.record_count, 'record', 'records')} of {_customers(found)}: no rate for {listed(products)}. "
        f"The first: {number}, {product}{to}{where} on {day}. {waits}, {becomes}. Add the rates."
    )


def _no_price_list(usage: RunUsage) -> PreflightCheck:
    found = usage.of("no_price_list")
    return PreflightCheck(
        code="no_price_list",
        title="Customers without a rate card",
        verdict=warn_of(found.count),
        count=found.count,
        detail=f"{_customers(found)} with usage: no rate card in the currency, of "
        f"{either(found.count, 'its', 'their')} own, of a group or default. "
        f"Give {either(found.count, 'it', 'them')} one."
        if found.count
        else "Every customer whose usage needs a rate has a rate card in its currency.",
        model="customers_customer",
        query=_those(found),
    )


def _no_default_card(usage: RunUsage) -> PreflightCheck:
    currencies = usage.of("no_price_list").currencies
    return PreflightCheck(
        code="no_default_card",
        title="Currencies without a default rate card",
        verdict=warn_of(len(currencies)),
        count=len(currencies),
        detail=f"{listed(list(currencies))} {'has' if len(currencies) == 1 else 'have'} no default rate card, and "
        "there are customers without any other. Make a card the default."
        if currencies
        else "Where customers have no other rate card, their currency has a default one.",
        model="catalog_ratecard",
    )


def _no_tax_rate(usage: RunUsage) -> PreflightCheck:
    found = usage.of("no_tax_rate")
    return PreflightCheck(
        code="no_tax_rate",
        title="Customers without a tax rate",
        verdict=warn_of(found.count),
        count=found.count,
        detail=f"{_customers(found)} with something to bill: "
        + either(found.count, "its account is held. Give it", "their accounts are held. Give them")
        + " a tax rate."
        if found.count
        else "Every customer with something to bill has a tax rate.",
        model="customers_customer",
        query=_those(found),
    )


def _closed_customers(usage: RunUsage) -> PreflightCheck:
    found = usage.of("closed_customers")
    return PreflightCheck(
        code="closed_customers",
        title="Closed customers with usage",
        verdict=warn_of(found.count),
        count=found.count,
        detail=f"{_customers(found)}: closed, with "
        f"{counted(found.record_count, 'record that is', 'records that are')} billed. "
        f"Ask whether {either(found.record_count, 'it is', 'they are')} to be."
        if found.count
        else "No closed customer has usage that waits.",
        model="customers_customer",
        query=_those(found),
    )


def _ended_services(usage: RunUsage) -> PreflightCheck:
    ((records, services, identifiers),) = usage.rows("ended_services")
    return PreflightCheck(
        code="ended_services",
        title="Ended services with usage",
        verdict=warn_of(services),
        count=services,
        detail=f"{counted(records, 'record', 'records')} of {counted(services, 'service', 'services')} "
        f"({listed(identifiers)}): used on or after the day on which the service or its subscription ended. "
        f"The run bills {either(records, 'it', 'them')}; ask whether it is to."
        if services
        else "No usage is of a day after its service or subscription had ended.",
        model="customers_subscriptionservice",
        query=(("q", identifiers[0]),) if services == 1 else (),
    )


def _late_usage(usage: RunUsage) -> PreflightCheck:
    found = usage.of("late_usage")
    is_much = found.record_count * 100 >= usage.of("on_the_run").record_count * MUCH_LATE_PERCENT
    model, query = _inbox_of(found)
    return PreflightCheck(
        code="late_usage",
        title="Late usage",
        verdict=PreflightVerdict.WARN if found.count and is_much else PreflightVerdict.PASS,
        count=found.record_count,
        detail=f"{counted(found.record_count, 'record', 'records')} of {_customers(found)}: used before the end of an "
        "invoice that the customer has. "
        + either(
            found.record_count,
            "It goes on a line of its own that names the month.",
            "They go on lines of their own that name the month.",
        )
        + (f" Ask why {either(found.record_count, 'it', 'they')} came so late." if is_much else "")
        if found.count
        else "No usage is of a time that its customer was billed for before.",
        model=model,
        query=query,
    )


def _customers(found: Found) -> str:
    names = listed([*found.account_numbers[:3]])
    more = f" and {found.count - 3:,} more" if found.count > 3 else ""  # noqa: PLR2004  as many as are listed
    return f"{counted(found.count, 'customer', 'customers')} ({names}{more})"


def _those(found: Found) -> tuple[tuple[str, str], ...]:
    """The filter of the list of customers: those that were found, where an address can hold them."""
    return (("id__in", ",".join(map(str, found.customer_ids))),) if 0 < found.count <= NAMED else ()


def _inbox_of(found: Found) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The inbox of the customer, where it is one; else the customers."""
    if found.count == 1:
        return "usage_pendingusage", (("customer__id__exact", str(found.customer_ids[0])),)
    return "customers_customer", _those(found)
