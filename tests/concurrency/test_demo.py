"""`manage.py demo` as a newcomer runs it: an empty database, a real worker, and a second time that changes nothing."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection

from config.env import BASE_DIR
from tests.concurrency.conftest import StartBroker
from tests.concurrency.worker import database_url

LONGEST_SECONDS = 120
BILLED = """
SELECT (SELECT count(*) FROM usage_data_record), (SELECT count(*) FROM pending_usage),
  (SELECT count(*) FROM usage_charge), (SELECT count(*) FROM invoice WHERE state = 'POSTED'),
  (SELECT count(*) FROM report_production WHERE profile_name = 'Summary and all records'),
  (SELECT md5(string_agg(number || content_sha256, ',' ORDER BY number)) FROM invoice)
"""


@pytest.fixture
def empty_database() -> Iterator[str]:
    """A database without a single table, on the server of the tests; its URL."""
    name = f"{connection.settings_dict['NAME']}_demo"
    with psycopg.connect(database_url("postgres"), autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield database_url(name)
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_the_demo_bills_the_sample_once(empty_database: str, start_broker: StartBroker) -> None:
    environment = {"DATABASE_URL": empty_database, "REDIS_URL": start_broker()}
    environment["DJANGO_SETTINGS_MODULE"] = "config.settings.dev"

    def demo() -> list[str]:
        done = subprocess.run(
            [sys.executable, "manage.py", "demo"],
            cwd=BASE_DIR,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    def billed() -> tuple[object, ...] | None:
        with psycopg.connect(empty_database) as server:
            return server.execute(BILLED).fetchone()

    first, there = demo(), billed()
    assert first[:2] == ["Importing focus_sample.csv (755,423 bytes) ...", "Commencing billing run 1 ..."]
    assert "45 invoices posted, 880 records charged" in first
    assert there is not None
    # All invoices have usage reports that wait for a worker.
    assert there[:5] == (999, 119, 880, 45, 45)
    second = demo()
    assert second[0] == "The demo's usage was billed before: nothing was changed."
    assert second[1:] == first[first.index("") :]
    assert billed() == there
