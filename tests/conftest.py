"""Fixtures of all tests: the services, the test database, hypothesis, fixed times."""

import gc
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from django.test import TransactionTestCase
from hypothesis import settings
from pytest_django import DjangoDbBlocker

from config import embedded
from tests.emptying import emptying

# Deterministic, so that a failure in CI is the same one here; `HYPOTHESIS_PROFILE=thorough` looks further.
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=100)
settings.register_profile("thorough", deadline=None, max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look for cycles of garbage less often, and never among what stays: that took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Start the own services, where this checkout has its own, before the test database is made on them."""
    try:
        embedded.ensure_services()
    except embedded.ServiceError as error:
        pytest.exit(str(error), returncode=1)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let tests on committed data leave the database as migrations made it; see `tests.emptying`."""
    with django_db_blocker.unblock():
        as_migrated = emptying()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: as_migrated.empty())
        yield


@pytest.fixture
def today() -> date:
    """The day on which tests take place."""
    return date(2026, 2, 1)


@pytest.fixture
def now() -> datetime:
    """The moment at which tests take place: in the morning of `today`."""
    return datetime(2026, 2, 1, 9, 0, tzinfo=UTC)
