"""Where the services are: the variables that say so, or the own servers of this checkout.

Reading this module starts nothing. The sockets of the own servers are a function of the checkout's path, so settings
can name them before they are up; `config.embedded` starts them.
"""

import os
from pathlib import Path
from typing import Any

import dj_database_url

from config import checkout

BASE_DIR: Path = checkout.ROOT
POSTGRES_ENGINE = "django.db.backends.postgresql"


class BadVariableError(ValueError):
    """An environment variable has a value that cannot be used; `str()` says which and why, without the value."""


def own_database() -> bool:
    """Whether this checkout runs its own PostgreSQL: `DATABASE_URL` is not set."""
    return not os.environ.get("DATABASE_URL")


def own_redis() -> bool:
    """Whether this checkout runs its own Valkey: `REDIS_URL` is not set."""
    return not os.environ.get("REDIS_URL")


def database() -> dict[str, Any]:
    """Django's database settings: `DATABASE_URL`, else the own PostgreSQL's socket; raises `BadVariableError`."""
    if own_database():
        return {
            "ENGINE": POSTGRES_ENGINE,
            "NAME": checkout.DATABASE_NAME,
            "USER": checkout.POSTGRES_USER,
            "PASSWORD": "",
            "HOST": str(checkout.here().sockets),
            "PORT": str(checkout.POSTGRES_PORT),
            "CONN_MAX_AGE": 60,
            # A connection that died with its server is noticed, not used.
            "CONN_HEALTH_CHECKS": True,
        }
    try:
        found = dict(dj_database_url.config(conn_max_age=60, conn_health_checks=True))
    except ValueError as error:
        raise BadVariableError("DATABASE_URL is no address such as postgresql://user:password@host/name.") from error
    if found["ENGINE"] != POSTGRES_ENGINE:
        raise BadVariableError("DATABASE_URL must begin with postgresql://, for PostgreSQL is the only database.")
    return found


def redis_url() -> str:
    """URL of the broker for Celery's Redis transport: `REDIS_URL`, else the own Valkey's socket."""
    given = os.environ.get("REDIS_URL")
    if not given:
        return f"redis+socket://{checkout.here().valkey_socket}"
    scheme, _, rest = given.partition("://")
    # Celery's names of the schemes, for those that Redis' and Valkey's own clients use.
    celery_scheme = {"unix": "redis+socket", "valkey": "redis", "valkeys": "rediss"}.get(scheme, scheme)
    if celery_scheme not in ("redis", "rediss", "redis+socket") or not rest:
        raise BadVariableError("REDIS_URL is no address such as redis://host:6379/0 or unix:///path/to/socket.")
    return f"{celery_scheme}://{rest}"


def client_url(celery_url: str) -> str:
    """The address of Celery's Redis transport as Redis' own client writes it."""
    return celery_url.replace("redis+socket://", "unix://", 1).replace("virtual_host=", "db=", 1)


def secret_key() -> str:
    """`SECRET_KEY`, else one made once for this checkout and kept in `.local/`; raises `BadVariableError`."""
    try:
        return os.environ.get("SECRET_KEY") or checkout.secret_key()
    except OSError as error:
        raise BadVariableError(f"SECRET_KEY has to be set, for none can be kept in .local/ ({error}).") from error


def storage() -> dict[str, Any]:
    """Django's default storage: the bucket `S3_BUCKET`, where that is set, else the disk; raises `BadVariableError`.

    Keys are those of the AWS tools (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, a profile, the machine's role).
    """
    bucket = text("S3_BUCKET", default="")
    if not bucket:
        return {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    endpoint = text("S3_ENDPOINT_URL", default="")
    if endpoint and not endpoint.startswith(("http://", "https://")):
        raise BadVariableError("S3_ENDPOINT_URL is no address such as https://s3.example.com.")
    options = {
        "bucket_name": bucket,
        "endpoint_url": endpoint or None,
        "region_name": text("S3_REGION", default="") or None,
        "location": text("S3_FOLDER", default=""),
        # A file stays where it is under its name, and nobody reads it but with the keys.
        "default_acl": None,
        "file_overwrite": True,
        "querystring_auth": True,
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


def required(name: str) -> str:
    """The value of a variable that has to be set; raises `BadVariableError`."""
    value = os.environ.get(name, "")
    if not value:
        raise BadVariableError(f"{name} has to be set.")
    return value


def text(name: str, *, default: str) -> str:
    """The value of a variable, without spaces around it."""
    return os.environ.get(name, "").strip() or default


def words(name: str) -> list[str]:
    """The values of a variable, parted by commas; empty where it is not set."""
    return [word.strip() for word in os.environ.get(name, "").split(",") if word.strip()]


def drop_folder(*, default: str) -> str:
    """The folder with the drop folders, or nothing: `DROP_FOLDER`; a relative path starts in the project's folder."""
    given = os.environ.get("DROP_FOLDER", default)
    return str(BASE_DIR / given) if given else ""


def switch(name: str, *, default: bool) -> bool:
    """Whether a variable is switched on (1, true, yes, on) or off (0, false, no, off); raises `BadVariableError`."""
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    raise BadVariableError(f"{name} is neither on nor off.")


def number(name: str, *, default: int) -> int:
    """The whole number in a variable; raises `BadVariableError`."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    if not value.isdecimal():
        raise BadVariableError(f"{name} is no whole number.")
    return int(value)
