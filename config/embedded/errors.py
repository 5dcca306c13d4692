"""What goes wrong with a server, in words for people."""

from pathlib import Path


class ServiceError(Exception):
    """A server that is needed cannot be had; `str()` is the one sentence that says why and what to do."""


def readable(error: OSError) -> str:
    """The system's own words for an error, with the path that it is about."""
    words = (error.strerror or str(error)).lower()
    return f"{words}: {error.filename}" if error.filename else words


def reason_in(log: Path, since: int) -> str:
    """The reason for a failed start: the last fatal line that a server wrote to its log after byte `since`."""
    try:
        with log.open("rb") as handle:
            handle.seek(since)
            lines = handle.read(1_000_000).decode(errors="replace").splitlines()
    except OSError:
        return "it says nothing"
    for mark in ("FATAL:", "PANIC:", "FATAL CONFIG FILE ERROR", "initdb: error:", "unshare:"):
        for line in reversed(lines):
            if mark in line:
                return line.partition(mark)[2].strip() or line.strip()
    told = [line.strip() for line in lines if line.strip()]
    return told[-1] if told else "it says nothing"
