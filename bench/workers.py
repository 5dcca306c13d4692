"""Real Celery worker processes for the benchmark, and how much memory they take."""

import os
import signal
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import Self

import psutil

from bench.databases import Databases
from config.env import BASE_DIR

READY = b"ready."
LONGEST_SECONDS = 60


class Workers:
    """A Celery worker with so many processes, up when the block begins and gone when it ends."""

    def __init__(self, databases: Databases, name: str, count: int, *, beat: bool = False) -> None:
        self._log = databases.folder / "worker.log"
        self._peak = 0
        self._stop = threading.Event()
        command = [sys.executable, "-m", "celery", "-A", "config", "worker", "--concurrency", str(count)]
        command += ["--loglevel", "info", "--hostname", "bench@%h", "--without-mingle", "--without-gossip"]
        command += ["--beat"] if beat else []
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=BASE_DIR,
                env=databases.environment(name),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._watch = threading.Thread(target=self._measure, daemon=True)

    def __enter__(self) -> Self:
        deadline = time.monotonic() + LONGEST_SECONDS
        while READY not in self._log.read_bytes():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise RuntimeError(f"The Celery worker did not come up:\n{self._log.read_text()[-2_000:]}")
            time.sleep(0.1)
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._process.terminate()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def kill(self) -> None:
        """SIGKILL for the worker and all its processes, at once."""
        os.killpg(self._process.pid, signal.SIGKILL)

    def peak_kib(self) -> int:
        """The most memory that one of the worker's processes had so far, in KiB."""
        return self._peak

    def _measure(self) -> None:
        parent = psutil.Process(self._process.pid)
        while not self._stop.wait(0.05):
            for process in (parent, *_children(parent)):
                try:
                    self._peak = max(self._peak, process.memory_info().rss // 1024)
                except psutil.NoSuchProcess:
                    continue


def _children(parent: psutil.Process) -> list[psutil.Process]:
    try:
        return list(parent.children(recursive=True))
    except psutil.NoSuchProcess:
        return []
