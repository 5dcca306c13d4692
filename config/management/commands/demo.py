"""Does Tollbook's main job on real usage, with the real parts, and shows what came out."""

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing.operations.errors import RunConflict, RunRefused
from config.demo.job import DemoFailed, bill, take_usage_in
from config.demo.load import load_company
from config.demo.report import report
from usage.operations.errors import ImportRefused


class Command(BaseCommand):
    """`manage.py demo`: import, run, invoices. A second time changes nothing."""

    help = "Import the FOCUS sample, bill it and post the invoices."

    def handle(self, *args: object, **options: object) -> None:  # noqa: ARG002  Django's signature
        """Do what is not done yet, then show all of it."""
        steps: list[str] = []

        def say(line: str) -> None:
            steps.append(line)
            self.stdout.write(line)
            self.stdout.flush()

        try:
            call_command("migrate", verbosity=0)
            source = load_company()
            usage_import = take_usage_in(source, at=timezone.now(), say=say)
            run = bill(clock=timezone.now, say=say)
        except (DemoFailed, ImportRefused, RunConflict, RunRefused) as error:
            raise CommandError(str(error)) from error
        if not steps:
            self.stdout.write("The demo's usage was billed before: nothing was changed.")
        self.stdout.write("")
        for line in report(run, usage_import):
            self.stdout.write(line)
