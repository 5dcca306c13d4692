"""A real Celery worker process on a database and a broker of a test's choice."""

import os
import re
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psutil
from django.db import connection

from config.env import BASE_DIR


def database_url(name: str) -> str:
    """The URL of a database on the server of the test database."""
    server = connection.settings_dict
    password = f":{quote(server['PASSWORD'], safe='')}" if server["PASSWORD"] else ""
    port = f":{server['PORT']}" if server["PORT"] else ""
    return f"postgresql://{quote(server['USER'], safe='')}{password}@{quote(server['HOST'], safe='')}{port}/{name}"


class Worker:
    """Two processes that work off chunks; `kill` ends them all as a loss of power does."""

    def __init__(self, *, database: str, broker: str, log: Path) -> None:
        self.log = log
        command = [sys.executable, "-m", "celery", "-A", "config", "worker", "--concurrency", "2", "--loglevel", "info"]
        environment = {"DATABASE_URL": database_url(database), "REDIS_URL": broker}
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*command, "--without-mingle", "--without-gossip"],
                cwd=BASE_DIR,
                env=os.environ | environment | {"DJANGO_SETTINGS_MODULE": "config.settings.dev"},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def kill(self) -> None:
        """SIGKILL to the whole process group: nothing is put in order."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(timeout=10)

    def kill_one(self) -> None:
        """SIGKILL to one of the processes that work; the others go on, and it is replaced."""
        children = psutil.Process(self._process.pid).children()
        assert children, "The worker has no processes."
        children[0].kill()

    def longest_task(self) -> Decimal:
        """The seconds that its longest task took; it did some."""
        seconds = re.findall(r"succeeded in ([0-9.]+)s", self.log.read_text())
        assert seconds, "The worker did nothing."
        return max(Decimal(each) for each in seconds)

    def done(self, task: str) -> int:
        """How many messages for this task it has worked off."""
        return len(re.findall(rf"Task {re.escape(task)}\[.* succeeded in ", self.log.read_text()))

    def must_live(self) -> None:
        """Fail with the end of its log where it ended by itself."""
        assert self._process.poll() is None, f"The worker ended by itself:\n{self.log.read_text()[-3_000:]}"
