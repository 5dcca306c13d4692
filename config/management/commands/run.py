"""`manage.py run`: web, worker and beat together, until Ctrl-C or `manage.py services stop`."""

import argparse
import os
import signal
import sys
import threading
import time
from http.client import HTTPConnection, HTTPException

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.urls import reverse
from honcho.manager import Manager

from config import checkout, running
from config.embedded.errors import ServiceError
from config.first_login import FIRST_LOGIN, create_first_login

HIGHEST_PORT = 65535
READY_SECONDS = 60
# Where to connect to a server that listens on all addresses.
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
# The status of a process that a signal ended: Ctrl-C and `services stop` are how a run is meant to end.
ENDED_BY_SIGNAL = {130, 143}


def port_number(text: str) -> int:
    """The port in an argument; raises `argparse.ArgumentTypeError` for what is none."""
    if not text.isdecimal() or not 0 < int(text) <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: it must be a number from 1 to {HIGHEST_PORT}")
    return int(text)


def address(host: str, port: int) -> str:
    """The address of the admin, for a browser on this machine."""
    name = "localhost" if host in ANY_ADDRESS else host
    return f"http://{f'[{name}]' if ':' in name else name}:{port}{reverse('admin:index')}"


class Command(BaseCommand):
    """Run web, worker and beat."""

    help = "Runs web, worker and beat until Ctrl-C or `manage.py services stop`."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen."""
        parser.add_argument("--port", type=port_number, help="port to listen on (8000, or the next free one)")
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")

    def handle(self, *, host: str, port: int | None, **_: object) -> None:
        """Prepare the database, then run until told to end."""
        place = checkout.here()
        status = 0
        # A terminal that is closed ends the run as Ctrl-C does.
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        try:
            with running.claim(place):
                port = running.choose_port(host, port)
                self.say("Bringing the database up to date ...")
                call_command("migrate", interactive=False, verbosity=0)
                self.introduce(address(host, port))
                status = self.run(place, host=host, port=port)
        except ServiceError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            pass
        if status:
            sys.exit(status)
        self.say("Stopped. The own servers stay up for the next command; `make stop` stops them too.")

    def introduce(self, url: str) -> None:
        """Print the address and, on the first start, the login."""
        password = create_first_login()
        lines = ["", f"  Tollbook   {url}"]
        if password:
            lines += [f"  login      {FIRST_LOGIN}", f"  password   {password}   (shown only now: keep it)"]
        else:
            lines += ["  login      as before; `manage.py changepassword NAME` replaces a lost password"]
        self.say("\n".join([*lines, "  Ctrl-C or `make stop` ends it.", ""]))

    def run(self, place: checkout.Place, *, host: str, port: int) -> int:
        """Run the processes until one of them ends or a signal comes; the exit status, 0 after a signal."""
        manager = Manager()
        environment = os.environ | {
            "PYTHONUNBUFFERED": "1",
            # Root in a container is common; the eight lines of this warning would hide what matters.
            "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        }
        for name, command in running.commands(place, host=host, port=port).items():
            manager.add_process(name, command, env=environment, cwd=str(checkout.ROOT))
        # The processes are forked off: no connection may be shared with them.
        connections.close_all()
        threading.Thread(target=self.tell_when_ready, args=(host, port), daemon=True).start()
        manager.loop()
        status = manager.returncode or 0
        return 0 if status in ENDED_BY_SIGNAL else int(status)

    def tell_when_ready(self, host: str, port: int) -> None:
        """Print the address again once the web process answers, below what the processes print as they start."""
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            connection = HTTPConnection(ANY_ADDRESS.get(host, host), port, timeout=READY_SECONDS)
            try:
                connection.request("GET", reverse("admin:login"))
                connection.getresponse()
            except (OSError, HTTPException):
                time.sleep(0.2)
            else:
                self.say(f"Ready: {address(host, port)}")
                return
            finally:
                connection.close()

    def say(self, text: str) -> None:
        """Print at once, also into a file or a pipe."""
        self.stdout.write(text)
        self.stdout.flush()
