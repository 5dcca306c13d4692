"""Work of several sessions at once on the real database: each thread has its own connection."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import connection
from django.db.backends.utils import CursorWrapper

Result = TypeVar("Result")
LONGEST_SECONDS = 20


def _with_own_connection(work: Callable[[], Result]) -> Result:
    try:
        return work()
    finally:
        connection.close()


def at_once(works: Sequence[Callable[[], Result]]) -> list[Result | Exception]:
    """Start all of them at the same moment; what each gave back or raised, in order."""
    barrier = threading.Barrier(len(works), timeout=LONGEST_SECONDS)

    def begin(work: Callable[[], Result]) -> Result:
        barrier.wait()
        return _with_own_connection(work)

    with ThreadPoolExecutor(len(works)) as pool:
        futures: list[Future[Result]] = [pool.submit(begin, work) for work in works]
        return [_ended(future) for future in futures]


def _ended(future: "Future[Any]") -> Any:
    try:
        return future.result(timeout=LONGEST_SECONDS)
    except Exception as error:  # noqa: BLE001  the caller looks at it
        return error


@contextmanager
def transaction_open() -> Iterator[CursorWrapper]:
    """A cursor of another session, in a transaction that ends as the caller says by COMMIT or ROLLBACK."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            yield cursor
    finally:
        other.close()


@contextmanager
def meanwhile(work: Callable[[], Result], *, waiting: int = 1) -> Iterator["Future[Result]"]:
    """Run it in another session until it is done, or `waiting` sessions, it among them, wait for locks of others."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(_with_own_connection, work)
        deadline = time.monotonic() + LONGEST_SECONDS
        while not future.done() and _waiting() < waiting:
            assert time.monotonic() < deadline, "it neither ended nor waited for a lock"
            time.sleep(0.01)
        yield future
        future.result(timeout=LONGEST_SECONDS)


def sessions(condition: str) -> int:
    """How many other sessions on this database are so."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            f" AND {condition}"
        )
        return int(cursor.fetchone()[0])


def _waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE NOT l.granted AND a.datname = current_database()"
        )
        return int(cursor.fetchone()[0])
