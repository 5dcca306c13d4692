"""Says on the command line whether the charges of invoices are what they are explained to be."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.queries.check_explanations import check_explanations
from invoicing.models import Invoice


class Command(BaseCommand):
    """`check_explanations INVOICE ...`: exits with 1 if a charge is not what it is explained to be."""

    help = "Explain every charge of invoices and name those whose explanation comes to something else."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the invoices."""
        parser.add_argument("invoice", nargs="+", help="number of an invoice, or the id of a draft")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        """Print a line for each invoice, and below it the charges that are not equal."""
        unequal_count = 0
        for text in options["invoice"]:
            checked = check_explanations(invoice_id=self._invoice(text).pk)
            unequal_count += checked.unequal_count
            equal_count = checked.explained_count - checked.unequal_count
            self.stdout.write(
                f"{checked.invoice}: {equal_count:,} of {checked.charge_count:,} charges are as explained."
            )
            for explanation in checked.unequal:
                number = explanation.record.number if explanation.record else ""
                self.stdout.write(f"  {number}: {explanation.fault}")
        if unequal_count:
            raise CommandError(
                "1 charge is not what it is explained to be."
                if unequal_count == 1
                else f"{unequal_count:,} charges are not what they are explained to be."
            )

    def _invoice(self, text: str) -> Invoice:
        found = Invoice.objects.filter(number=text).first()
        if found is None and text.isascii() and text.isdigit():
            found = Invoice.objects.filter(id=int(text), number__isnull=True).first()
        if found is None:
            raise CommandError(f"There is no invoice with the number “{text}”, and no draft with that id.")
        return found
