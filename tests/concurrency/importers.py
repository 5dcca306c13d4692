"""Processes that import files, started at once by a process that has Django loaded, to be killed at any moment.

As a program: reads lines of JSON (a source system's id and paths of files), forks a child that imports them one after
the other, and answers with the child's id; `{"wait": id}` is answered with how it ended.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

if __name__ != "__main__":
    from config.env import BASE_DIR
    from tests.concurrency.worker import database_url


class Importers:
    """Starts, waits for and kills processes that import into a database."""

    def __init__(self, database: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.concurrency.importers"],
            cwd=BASE_DIR,
            env=os.environ | {"DATABASE_URL": database_url(database), "DJANGO_SETTINGS_MODULE": "config.settings.dev"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pipes = cast("Sequence[IO[str]]", (self._process.stdin, self._process.stdout))
        for pipe in pipes:
            pipe.close()
        self._process.wait(timeout=20)

    def start(self, source_system_id: int, files: Sequence[Path]) -> int:
        """Begin to import the files, and give back the process's id."""
        return int(self._ask({"source": source_system_id, "files": [str(file) for file in files]}))

    def wait(self, pid: int) -> int:
        """How a process ended: 0, or less than nothing where a signal ended it."""
        return int(self._ask({"wait": pid}))

    def kill(self, pid: int) -> None:
        """SIGKILL: nothing is put in order."""
        os.kill(pid, signal.SIGKILL)

    def _ask(self, question: dict[str, Any]) -> Any:
        to, answers = cast("tuple[IO[str], IO[str]]", (self._process.stdin, self._process.stdout))
        to.write(json.dumps(question) + "\n")
        to.flush()
        return json.loads(answers.readline())


def main() -> None:
    """Answer the questions on standard input until it ends."""
    import django

    django.setup()
    from usage.operations import imports  # noqa: F401  loaded once, here

    for line in sys.stdin:
        question = json.loads(line)
        if "wait" in question:
            _, status = os.waitpid(question["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork()
            if not answer:
                import_files(question["source"], question["files"])
        print(json.dumps(answer), flush=True)  # noqa: T201  the answer


def import_files(source_system_id: int, files: Sequence[str]) -> None:
    """The child's work."""
    from django.utils import timezone

    from usage.operations.imports import import_usage

    for file in files:
        with Path(file).open("rb") as content:
            import_usage(source_system_id=source_system_id, file=content, file_name=file, at=timezone.now())
    os._exit(0)


if __name__ == "__main__":
    main()
