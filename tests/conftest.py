"""Fixtures of all tests: the services, the test database, hypothesis, fixed times."""

import importlib
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pgtrigger
import pytest
from django.apps import apps
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from django.db.models.signals import post_migrate
from hypothesis import settings

from config import embedded

# Deterministic, so that a failure in CI is the same one here; `HYPOTHESIS_PROFILE=thorough` looks further.
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=100)
settings.register_profile("thorough", deadline=None, max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# See billing/migrations/0003_prices_laid_out.py.
LAID_OUT_PRICES = [f"price_{part}" for part in ("window", "list", "page", "terms", "card", "hours", "slot")]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Start the own services, where this checkout has its own, before the test database is made on them."""
    try:
        embedded.ensure_services()
    except embedded.ServiceError as error:
        pytest.exit(str(error), returncode=1)


def add_rows_of_migrations(**kwargs: object) -> None:
    """Add what migrations put into the tables (currencies, number series) where a flush took it away."""
    for app, table, function in (
        ("catalog", "currency", "add_currencies"),
        ("invoicing", "number_series", "add_number_series"),
    ):
        if table not in connection.introspection.table_names():
            continue  # emitted by the first migration of an app below
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT EXISTS (SELECT FROM {table})")
            (exists,) = cursor.fetchone()
        if not exists:
            getattr(importlib.import_module(f"{app}.migrations.0001_initial"), function)(apps, None)


@pytest.fixture(scope="session", autouse=True)
def flush_of_transactional_tests() -> Iterator[None]:
    """Let the flush after a transactional test empty the tables, and fill in what migrations had put there.

    Emptied too are the prices laid out for a run, whose tables no model names: Django would leave those of a run that a
    test did not finish to the tests after it.

    Django empties the database by TRUNCATE, which the database refuses for what bills rest on. Only those triggers
    are passed over, and only for the flush: the tests themselves meet every trigger.
    """
    execute_sql_flush = DatabaseOperations.execute_sql_flush
    triggers = [
        f"{model._meta.label}:{trigger.name}"
        for model, trigger in pgtrigger.registered()
        if str(trigger.operation) == "TRUNCATE"
    ]

    def flush(self: DatabaseOperations, sql_list: list[str]) -> None:
        with pgtrigger.ignore(*triggers):
            execute_sql_flush(self, [*sql_list, f"TRUNCATE {', '.join(LAID_OUT_PRICES)}"])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", flush)
        post_migrate.connect(add_rows_of_migrations, dispatch_uid="rows of migrations")
        yield
        post_migrate.disconnect(dispatch_uid="rows of migrations")


@pytest.fixture
def today() -> date:
    """The day on which tests take place."""
    return date(2026, 2, 1)


@pytest.fixture
def now() -> datetime:
    """The moment at which tests take place: in the morning of `today`."""
    return datetime(2026, 2, 1, 9, 0, tzinfo=UTC)
