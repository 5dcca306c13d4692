"""Credits on documents, in a line each."""

from decimal import Decimal

from invoicing.models import AccountCredit, Invoice
from invoicing.queries import account_credits
from tests.runs import plain


def amounts(document: Invoice) -> list[str]:
    """Its lines: kind, code of a credit, exact amount -> amount at percent."""
    places = document.currency.minor_units
    lines = document.lines.select_related("tax_rate").order_by("line_number")
    return [
        " ".join(
            [line.kind]
            + ([line.coupon_code] if line.coupon_code else [])
            + [f"{plain(line.exact_amount)} -> {line.amount:.{places}f} at {plain(line.tax_rate.percent)} %"]
        )
        for line in lines
    ]


def left(credit: AccountCredit) -> Decimal:
    """What is left of an amount."""
    found = account_credits().get(pk=credit.pk).amount_left  # type: ignore[attr-defined]  # annotated
    assert isinstance(found, Decimal)
    return found


def used(document: Invoice) -> list[str]:
    """What it uses of credits: code and amount, line by line."""
    lines = document.lines.filter(credit_use__isnull=False).order_by("line_number")
    return [f"{line.credit_use.credit.code} {plain(line.credit_use.amount)}" for line in lines]
