"""Reads of documents and accounts."""

from invoicing.queries.documents import (
    PRICE_DIGITS,
    PricedLine,
    account_credits,
    invoices_after,
    is_wholly_credited,
    posted_counts,
    posted_invoices,
    price_of_one_unit,
    total_of,
)

__all__ = [
    "PRICE_DIGITS",
    "PricedLine",
    "account_credits",
    "invoices_after",
    "is_wholly_credited",
    "posted_counts",
    "posted_invoices",
    "price_of_one_unit",
    "total_of",
]
