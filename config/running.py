"""Web, worker and beat of `manage.py run`: one set of them at a time in a checkout, and how they are ended."""

import contextlib
import fcntl
import os
import shlex
import signal
import socket
import sys
from collections.abc import Iterator
from typing import TextIO

from config.checkout import ROOT, Place, adopt
from config.embedded import machine, processes
from config.embedded.errors import ServiceError

FIRST_PORT = 8000
PORTS_TRIED = 100
# The demo has a worker of its own, which a demo that is killed leaves behind.
PROCESSES = ("beat", "worker", "web", "demo-worker")
# Longer than honcho gives its processes before it kills them.
STOP_SECONDS = 20


def commands(place: Place, *, host: str, port: int) -> dict[str, str]:
    """The shell commands of the processes, by name."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    web_workers = machine.bounded(machine.cores(), 2, 3)
    wanted = {
        "web": f"gunicorn config.wsgi --bind {address} --workers {web_workers} --threads 4 --log-level warning --pid",
        "worker": f"celery -q -A config worker --concurrency {machine.cores()} --loglevel warning"
        " --without-gossip --without-mingle --pidfile",
        "beat": "celery -q -A config beat --loglevel warning --pidfile",
    }
    # `exec`: the signals are for the program, not for the shell that starts it.
    return {
        name: f"exec {shlex.quote(sys.executable)} -m {command} {shlex.quote(str(place.pid_file(name)))}"
        for name, command in wanted.items()
    }


@contextlib.contextmanager
def claim(place: Place) -> Iterator[None]:
    """Be the one run of this place; raises `ServiceError` where there is one. Ends what a killed run left behind."""
    place.make()
    with place.run_lock.open("a+") as lock:
        adopt(place.run_lock)
        is_free = take(lock)
        pid = processes.read_pid(place.run_lock)
        if is_free or (pid is not None and not processes.works_in(pid, ROOT)):
            end_leftovers(place)
        if not is_free and not processes.wait_until(lambda: take(lock), seconds=1):
            raise ServiceError(f"Tollbook already runs here (process {pid}): open its address, or end it: `make stop`.")
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        try:
            yield
        finally:
            end_leftovers(place)
            lock.truncate(0)


def take(lock: TextIO) -> bool:
    """Take the lock where it is free; whether it was. What a killed run left behind may still hold it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def end_leftovers(place: Place) -> list[str]:
    """End web, worker and beat where their run is gone, and remove their files; the names of those that ran."""
    ended = []
    for name in PROCESSES:
        file = place.pid_file(name)
        pid = processes.read_pid(file)
        if pid is not None and processes.works_in(pid, ROOT):
            if not processes.end(pid, signals=(signal.SIGTERM, signal.SIGKILL), seconds=STOP_SECONDS / 2, group=True):
                raise ServiceError(f"The {name} process {pid} did not end.")
            ended.append(name)
        file.unlink(missing_ok=True)
    return ended


def stop(place: Place) -> bool:
    """End the run of this place, and what a killed one left behind; whether there was any. Raises `ServiceError`."""
    pid = processes.read_pid(place.run_lock)
    running = pid is not None and pid != os.getpid() and processes.works_in(pid, ROOT)
    if (
        running
        and pid is not None
        and not processes.end(pid, signals=(signal.SIGTERM, signal.SIGKILL), seconds=STOP_SECONDS)
    ):
        raise ServiceError(f"`manage.py run` (process {pid}) did not end.")
    return bool(end_leftovers(place)) or running


def choose_port(host: str, asked: int | None) -> int:
    """The port asked for, else the first free one from 8000 on; raises `ServiceError` where it cannot be had."""
    if asked is not None:
        if reason := refusal(host, asked):
            raise ServiceError(f"Port {asked} of {host} cannot be used ({reason}): choose another PORT, or none.")
        return asked
    reason = ""
    for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        reason = refusal(host, port)
        if not reason:
            return port
    last = FIRST_PORT + PORTS_TRIED - 1
    raise ServiceError(f"No port of {host} from {FIRST_PORT} to {last} can be used ({reason}): choose one with PORT.")


def refusal(host: str, port: int) -> str:
    """Why the port cannot be listened on, empty where it can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        return (os.strerror(error.errno) if error.errno else str(error)).lower()
    return ""
