"""Processes by their id: are they alive, are they the ones that were meant, start and end them."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from config.checkout import adopt
from config.embedded.account import Account

POLL_SECONDS = 0.02
PROBE_SECONDS = 5


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that ended but that nobody has waited for does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return not Path("/proc/self/stat").exists()
    return state not in ("Z", "X")


def works_in(pid: int, folder: Path) -> bool:
    """Whether the process is alive and has its working folder there, or names the folder in its command line.

    A process id is used again after a reboot: without this check, a stranger could be taken for a server, and killed.
    """
    if not is_alive(pid):
        return False
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cwd").samefile(folder)
    return str(folder) in command_line(pid)


def command_line(pid: int) -> str:
    """The command line of a process, its parts joined by blanks; empty where there is no such process."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    told = subprocess.run(  # noqa: S603  a fixed command
        ["/bin/ps", "-p", str(pid), "-o", "args="], capture_output=True, text=True, timeout=PROBE_SECONDS, check=False
    )
    return told.stdout.strip()


def read_pid(file: Path) -> int | None:
    """The process id in the first line of a file; None where there is no file or no id in it."""
    try:
        return int(file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def launch(command: list[str], *, account: Account, folder: Path, log: Path, environment: dict[str, str]) -> int:
    """Start a server that outlives this process, its output appended to the log; its process id.

    A shell starts it and ends, so that the server belongs to the system and not to this process: who ends it, leaves
    no zombie behind, and Ctrl-C in a terminal does not reach it.
    """
    with log.open("ab") as output:
        adopt(log)
        shell = subprocess.run(  # noqa: S603  a fixed command
            ["/bin/sh", "-c", '"$@" >&2 & echo $!', "sh", *account.prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            cwd=folder,
            env=environment,
            start_new_session=True,
            text=True,
            check=True,
            **account.become(),
        )
    return int(shell.stdout)


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Whether the condition came true within that time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(POLL_SECONDS)
    return True


def end(pid: int, *, signals: tuple[signal.Signals, ...], seconds: float, group: bool = False) -> bool:
    """Send the signals one after the other, each with so many seconds to take effect; whether the process ended."""
    for number in signals:
        with contextlib.suppress(ProcessLookupError):
            if group:
                os.killpg(pid, number)
            else:
                os.kill(pid, number)
        if wait_until(lambda: not is_alive(pid), seconds=seconds):
            return True
    return False
