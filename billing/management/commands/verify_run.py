"""Says on the command line whether the posted invoices of a run are what its stored inputs make of them."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.models import BillingRun
from billing.operations.verification import verify_run
from billing.operations.verifications import difference_in_words


class Command(BaseCommand):
    """`verify_run ID`: exits with 1, naming the first difference, if an invoice is not what is computed again."""

    help = "Compute all posted invoices of a billing run again, from its records, prices and terms, and compare them."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the run."""
        parser.add_argument("run", type=int, help="id of a billing run")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        """Print how many invoices are identical, and the run's root."""
        try:
            verified = verify_run(run_id=options["run"])
        except BillingRun.DoesNotExist as error:
            raise CommandError(f"There is no billing run with the id {options['run']}.") from error
        if not verified.invoice_count:
            raise CommandError(f"Run {options['run']} has no posted invoices: there is nothing to compare yet.")
        self.stdout.write(f"identical: {verified.identical_count} of {verified.invoice_count}")
        if difference := difference_in_words(verified):
            raise CommandError(difference)
        if not verified.root:
            self.stdout.write("The run has no root yet: not all of its invoices are posted.")
            return
        self.stdout.write(f"root: {verified.root}")
