"""Databases of the benchmark's own, alike to the last constraint: for the floor, for the product, for the product's
memory with a tenth of the calls.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg

from config import env

FLOOR, PRODUCT, SMALL = "tollbook_bench_floor", "tollbook_bench", "tollbook_bench_small"
KILLED, RATING = "tollbook_bench_killed", "tollbook_bench_rating"
INVOICES, REPORTS = "tollbook_bench_invoices", "tollbook_bench_reports"
DASHBOARDS = "tollbook_bench_dashboards"
# A database number of the broker that nothing else uses: workers of `make run` do not see the benchmark's messages.
BROKER_DATABASE = 9


class Databases:
    """Makes the databases, and removes them and the files at the end, whatever happens."""

    def __init__(self) -> None:
        self._server = env.database()
        self.folder = Path(tempfile.mkdtemp(prefix="tollbook-bench-"))

    def __enter__(self) -> Self:
        self._drop()
        self._admin(f"CREATE DATABASE {PRODUCT}")
        self._migrate()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def copy(self, *names: str) -> None:
        """Make other databases: each the product's as it is now."""
        for name in names:
            self._admin(f"CREATE DATABASE {name} TEMPLATE {PRODUCT}")

    def connect(self, name: str) -> psycopg.Connection:
        """A connection that commits each statement."""
        options = {"host": self._server["HOST"], "port": self._server["PORT"], "password": self._server["PASSWORD"]}
        given = {key: value for key, value in options.items() if value}
        return psycopg.connect(dbname=name, user=self._server["USER"], autocommit=True, **given)

    def environment(self, name: str) -> dict[str, str]:
        """The environment of a process of the product that works on this database."""
        server = self._server
        password = f":{quote(server['PASSWORD'], safe='')}" if server["PASSWORD"] else ""
        login = quote(server["USER"], safe="") + password
        address = f"{quote(str(server['HOST']), safe='')}" + (f":{server['PORT']}" if server["PORT"] else "")
        broker = env.redis_url()
        broker += f"?virtual_host={BROKER_DATABASE}" if broker.startswith("redis+socket") else f"/{BROKER_DATABASE}"
        return os.environ | {
            "DATABASE_URL": f"postgresql://{login}@{address}/{name}",
            "REDIS_URL": broker,
            "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        }

    def _migrate(self) -> None:
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, check=True, cwd=env.BASE_DIR, env=self.environment(PRODUCT), stdout=subprocess.DEVNULL)

    def _drop(self) -> None:
        for name in (FLOOR, SMALL, KILLED, RATING, INVOICES, REPORTS, DASHBOARDS, PRODUCT):
            self._admin(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _admin(self, statement: str) -> None:
        with self.connect("postgres") as connection:
            connection.execute(statement)
