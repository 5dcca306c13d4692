"""The servers that a command needs: those of `DATABASE_URL` and `REDIS_URL`, else own ones of this checkout.

Each of the two stands for itself. Importing this starts nothing; every entry point (manage.py, web, worker, beat,
tests, benchmark) calls `ensure_services` first.
"""

import sys
from collections.abc import Callable

from config import checkout, env
from config.embedded import given, own
from config.embedded.errors import ServiceError

__all__ = ["ServiceError", "ensure_services", "ensure_services_or_exit", "say"]


def ensure_services(*, broker: bool = True, report: Callable[[str], None] = own.silent) -> None:
    """Have PostgreSQL answer, and with `broker` also Redis or Valkey; own ones are started where they are down.

    An own Valkey is started even without `broker`, for it costs nothing. Takes some milliseconds when all is up.
    Raises `ServiceError`, within a bounded time, where a server cannot be had, and `env.BadVariableError`.
    """
    place = checkout.here()
    own.ensure(place, database=env.own_database(), broker=env.own_redis(), report=report)
    if not env.own_database():
        given.check_database(env.database())
    if broker and not env.own_redis():
        given.check_broker(env.redis_url())


def ensure_services_or_exit(*, broker: bool = True) -> None:
    """`ensure_services` for a command line: says on standard error what it starts, and why it ends with status 1."""
    try:
        ensure_services(broker=broker, report=say)
    except (ServiceError, env.BadVariableError) as error:
        say(str(error))
        sys.exit(1)


def say(message: str) -> None:
    """Print on standard error, at once: standard output is for what a command was asked for."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()
