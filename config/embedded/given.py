"""Servers that are given by `DATABASE_URL` and `REDIS_URL`: nothing is started, but it is said if one will not do."""

from typing import Any

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config import env
from config.embedded.errors import ServiceError

CONNECT_SECONDS = 5
OLDEST_POSTGRES = 16
# Options that Django takes for itself and that are none of PostgreSQL's.
DJANGO_OPTIONS = {"assume_role", "isolation_level", "pool", "server_side_binding"}


def check_database(settings: dict[str, Any]) -> None:
    """Raise `ServiceError` where the database of these Django settings cannot be reached, or is too old."""
    named = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    parameters = {name: settings[key] for name, key in named.items() if settings.get(key)}
    # The query of the URL, where a host may stand too: that is how a socket's folder is given.
    parameters |= {key: value for key, value in settings.get("OPTIONS", {}).items() if key not in DJANGO_OPTIONS}
    where = ":".join(str(parameters[name]) for name in ("host", "port") if name in parameters) or "the local socket"
    try:
        with psycopg.connect(**({"connect_timeout": CONNECT_SECONDS} | parameters)) as connection:
            version = connection.info.server_version
    except psycopg.Error as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise ServiceError(f"The PostgreSQL of DATABASE_URL ({where}) cannot be used: {lines[0]}.") from error
    check_version(version, where)


def check_version(version: int, where: str) -> None:
    """Raise `ServiceError` where a PostgreSQL version number, 160004 for 16.4, is that of a release too old."""
    if version // 10000 < OLDEST_POSTGRES:
        raise ServiceError(
            f"The PostgreSQL of DATABASE_URL ({where}) is version {version // 10000}.{version % 10000}: "
            f"Tollbook needs {OLDEST_POSTGRES} or later."
        )


def check_broker(url: str) -> None:
    """Raise `ServiceError` where the Redis or Valkey of a Celery broker URL cannot be reached."""
    try:
        with redis.Redis.from_url(
            env.client_url(url),
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=CONNECT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        ) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise ServiceError(f"The Redis or Valkey of REDIS_URL cannot be used: {reason}.") from error
