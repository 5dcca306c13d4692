"""Brokers of the tests' own: nobody else's messages come in, and nobody else's get lost."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from celery import current_app

from config.embedded.valkey import binary

StartBroker = Callable[..., str]
UseBroker = Callable[[str], None]
START_SECONDS = 10


class Broker:
    """A Valkey on a socket of its own, that can go away and come back, empty."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._socket = folder / "valkey.sock"
        self._command = [str(binary()), "--port", "0", "--unixsocket", str(self._socket), "--save", ""]
        self._command += ["--dir", str(folder), *options]
        self.url = f"redis+socket://{self._socket}"
        self.start()

    def start(self) -> None:
        self._socket.unlink(missing_ok=True)
        self._server = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while not self._socket.exists():
            assert self._server.poll() is None, "Valkey ended before it was up"
            assert time.monotonic() < deadline, "Valkey did not come up"
            time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL: what is in it is lost."""
        self._server.kill()
        self._server.wait()


@contextmanager
def _broker(*options: str) -> Iterator[Broker]:
    with tempfile.TemporaryDirectory(prefix="tollbook-") as folder:
        broker = Broker(Path(folder), *options)
        try:
            yield broker
        finally:
            broker.kill()


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A broker of the test's own. It ends with the test."""
    with _broker() as running:
        yield running


@pytest.fixture
def start_broker() -> Iterator[StartBroker]:
    """Start a Valkey with these options; the URL for Celery. It ends with the test."""
    with ExitStack() as running:
        yield lambda *options: running.enter_context(_broker(*options)).url


@pytest.fixture
def broker_at(monkeypatch: pytest.MonkeyPatch) -> UseBroker:
    """Lets the Celery application of this process use another broker until the test is over."""

    def use(url: str) -> None:
        monkeypatch.setenv("CELERY_BROKER_URL", url)
        monkeypatch.setattr(current_app, "_pool", None)
        monkeypatch.setattr(current_app.amqp, "_producer_pool", None)

    return use
