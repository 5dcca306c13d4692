"""What a published Fastly client reads of a server: run by a Python that has one, not by that of this project.

`read_invoices.py ADDRESS KEY` prints all invoices, in pages of two, the first one by itself, and the month to date
where the client knows of it, as JSON.
"""

import json
import sys
from typing import Any

import fastly
from fastly.api.billing_invoices_api import BillingInvoicesApi

PAGE = "2"


def main(address: str, key: str) -> None:
    """Ask and print."""
    configuration = fastly.Configuration(host=address)
    configuration.api_token = key
    with fastly.ApiClient(configuration) as client:
        api = BillingInvoicesApi(client)
        pages: list[dict[str, Any]] = []
        cursor = ""
        while not pages or cursor:
            page = api.list_invoices(limit=PAGE, **({"cursor": cursor} if cursor else {})).to_dict()
            pages.append(page)
            cursor = page["meta"]["next_cursor"]
        knows_of_months = hasattr(api, "get_month_to_date_invoice")
        # Clients from before that want the id as the text that it is.
        first = pages[0]["data"][0]["invoice_id"]
        one = api.get_invoice_by_invoice_id(int(first) if knows_of_months else first)
        read = {"pages": pages, "one": one.to_dict(), "month_to_date": None}
        if knows_of_months:
            read["month_to_date"] = api.get_month_to_date_invoice().to_dict()
    json.dump(read, sys.stdout, default=lambda moment: moment.isoformat())


main(*sys.argv[1:])
