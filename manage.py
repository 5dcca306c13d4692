#!/usr/bin/env python
"""Tollbook's command line."""

import os
import sys

from django.core.management import execute_from_command_line

from config.embedded import ensure_services_or_exit, say
from config.env import BadVariableError
from config.management.commands import services

# Commands that work without a database, and `services`, which is about the servers themselves.
WITHOUT_SERVICES = {
    "",
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
    "makemigrations",
    "services",
    "spectacular",
    "startapp",
    "startproject",
    "version",
}
WITH_BROKER = {"demo", "run"}


def main(arguments: list[str]) -> None:
    """Have the servers run that the command needs, then run it."""
    command = arguments[1] if len(arguments) > 1 else ""
    asks_only = command.startswith("-") or {"-h", "--help", "--version"} & set(arguments)
    if command not in WITHOUT_SERVICES and not asks_only:
        ensure_services_or_exit(broker=command in WITH_BROKER)
    try:
        if command == "services":
            # Without Django's set-up: the servers can be stopped even where an app does not load.
            services.Command().run_from_argv(arguments)
            return
        execute_from_command_line(arguments)
    except BadVariableError as error:
        say(str(error))
        sys.exit(1)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    main(sys.argv)
