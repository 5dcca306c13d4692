"""`manage.py services start|stop|status`: the servers of this checkout, by hand."""

import sys

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import checkout, env, running
from config.embedded import ServiceError, ensure_services, own, postgres, valkey
from config.embedded.processes import read_pid, works_in


class Command(BaseCommand):
    """Start, stop or show the own servers."""

    help = "Starts or stops the own PostgreSQL and Valkey of this checkout, or shows what runs."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do."""
        parser.add_argument("action", choices=["start", "stop", "status"])

    def handle(self, *, action: str, **_: object) -> None:
        """Do it; a `CommandError` says why it cannot be done."""
        try:
            {"start": self.start, "stop": self.stop, "status": self.status}[action]()
        except (ServiceError, env.BadVariableError) as error:
            raise CommandError(str(error)) from error

    def start(self) -> None:
        """Start what is down, and check what is given by `DATABASE_URL` and `REDIS_URL`."""
        ensure_services(report=self.stdout.write)
        self.status()

    def stop(self) -> None:
        """Stop web, worker and beat, then the own servers."""
        place = checkout.here()
        stopped = ["web", "worker", "beat"] if running.stop(place) else []
        stopped += own.stop(place)
        self.stdout.write(f"Stopped {', '.join(stopped)}." if stopped else "Nothing ran.")

    def status(self) -> None:
        """Show what runs; the exit status is 1 where an own server is down."""
        place = checkout.here()
        missing = own.missing(place, database=env.own_database(), broker=env.own_redis())
        self.show("PostgreSQL", postgres.server_pid(place), missing, "" if env.own_database() else "DATABASE_URL")
        self.show("Valkey", valkey.server_pid(place), missing, "" if env.own_redis() else "REDIS_URL")
        pid = read_pid(place.run_lock)
        is_running = pid is not None and works_in(pid, checkout.ROOT)
        self.stdout.write(f"{'run':11} {f'process {pid}' if is_running else 'not running'}")
        if missing:
            sys.exit(1)

    def show(self, name: str, pid: int | None, missing: list[str], variable: str) -> None:
        """One line about a server, own or given by a variable."""
        if variable:
            self.stdout.write(f"{name:11} given by {variable}")
        elif name in missing:
            self.stdout.write(f"{name:11} own, {f'process {pid} does not answer' if pid else 'not running'}")
        else:
            self.stdout.write(f"{name:11} own, process {pid}")
