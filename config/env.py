"""Where the services are: the variables that say so, or the own servers of this checkout.

Reading this module starts nothing. The sockets of the own servers are a function of the checkout's path, so settings
can name them before they are up; `config.embedded` starts them.
"""

import os
from pathlib import Path
from typing import Any

import dj_database_url

from config.embedded import paths

BASE_DIR = Path(__file__).resolve().parent.parent


def own_database() -> bool:
    """Whether this checkout runs its own PostgreSQL: `DATABASE_URL` is not set."""
    return not os.environ.get("DATABASE_URL")


def own_redis() -> bool:
    """Whether this checkout runs its own Valkey: `REDIS_URL` is not set."""
    return not os.environ.get("REDIS_URL")


def database() -> dict[str, Any]:
    """Django's settings of the database: `DATABASE_URL`, else the own PostgreSQL's socket."""
    if not own_database():
        return dict(dj_database_url.config(conn_max_age=60))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "tollbook",
        "USER": "postgres",
        "HOST": str(paths.socket_dir()),
        "PORT": "5432",
        "CONN_MAX_AGE": 60,
    }


def redis_url() -> str:
    """URL of the broker for Celery's Redis transport: `REDIS_URL`, else the own Valkey's socket."""
    return os.environ.get("REDIS_URL") or f"redis+socket://{paths.valkey_socket()}"


def secret_key() -> str:
    """`SECRET_KEY`, else one made once for this checkout and kept in `.local/`."""
    return os.environ.get("SECRET_KEY") or paths.secret_key()
