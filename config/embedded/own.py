"""The own servers together: started once however many processes ask at once, found again by the next, stopped."""

import contextlib
import fcntl
import time
from collections.abc import Callable, Iterator

from config.checkout import SHORT_FOLDER, Place, adopt
from config.embedded import postgres, processes, valkey
from config.embedded.account import make_socket_folder, owner_account, postgres_account
from config.embedded.errors import ServiceError, readable

LOCK_SECONDS = postgres.RECOVERY_SECONDS + postgres.START_SECONDS


def silent(message: str) -> None:
    """Report nothing."""


@contextlib.contextmanager
def only_one(place: Place) -> Iterator[None]:
    """Let one process of this place at a time start or stop servers; the system frees the lock of one that dies."""
    place.make()
    with place.start_lock.open("w") as lock:
        adopt(place.start_lock)
        end = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise ServiceError(f"Another process has held {place.start_lock} for {LOCK_SECONDS} s.") from None
                time.sleep(processes.POLL_SECONDS)
        yield


def ensure(place: Place, *, database: bool, broker: bool, report: Callable[[str], None] = silent) -> None:
    """Have the own servers run that are asked for: find them, or start them and tell so to `report`.

    Raises `ServiceError` where one does not come up.
    """
    try:
        if missing(place, database=database, broker=broker):
            with only_one(place):
                start(place, names=missing(place, database=database, broker=broker), report=report)
    except OSError as error:
        raise ServiceError(f"The own servers cannot be started ({readable(error)}).") from error


def missing(place: Place, *, database: bool, broker: bool) -> list[str]:
    """The names of the servers that are asked for and do not answer."""
    names = []
    if database and not postgres.is_ready(place):
        names.append("PostgreSQL")
    if broker and not valkey.is_ready(place):
        names.append("Valkey")
    return names


def start(place: Place, *, names: list[str], report: Callable[[str], None]) -> None:
    """Start the servers of these names; the caller holds the lock."""
    if not names:
        return
    report(f"Starting {' and '.join(names)} in {place.local} ...")
    if "PostgreSQL" in names:
        postgres.start(place, report=report)
    if "Valkey" in names:
        if not place.sockets.exists():
            make_socket_folder(place, postgres_account(place))
        valkey.start(place, owner_account(place))


def stop(place: Place) -> list[str]:
    """Stop the own servers; the names of those that ran. Raises `ServiceError` where one does not stop."""
    if not place.local.exists():
        return []
    try:
        with only_one(place):
            stopped = {"PostgreSQL": postgres.stop(place), "Valkey": valkey.stop(place)}
            if place.sockets.parent == SHORT_FOLDER:
                with contextlib.suppress(OSError):
                    place.sockets.rmdir()
    except OSError as error:
        raise ServiceError(f"The own servers cannot be stopped ({readable(error)}).") from error
    return [name for name, was_running in stopped.items() if was_running]
