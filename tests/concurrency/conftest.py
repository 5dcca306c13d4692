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


@contextmanager
def _broker(*options: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="tollbook-") as folder:
        socket = Path(folder, "valkey.sock")
        command = [str(binary()), "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", folder, *options]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + START_SECONDS
            while not socket.exists():
                assert server.poll() is None, "Valkey ended before it was up"
                assert time.monotonic() < deadline, "Valkey did not come up"
                time.sleep(0.01)
            yield f"redis+socket://{socket}"
        finally:
            server.kill()
            server.wait()


@pytest.fixture
def start_broker() -> Iterator[StartBroker]:
    """Start a Valkey with these options; the URL for Celery. It ends with the test."""
    with ExitStack() as running:
        yield lambda *options: running.enter_context(_broker(*options))


@pytest.fixture
def broker_at(monkeypatch: pytest.MonkeyPatch) -> UseBroker:
    """Lets the Celery application of this process use another broker until the test is over."""

    def use(url: str) -> None:
        monkeypatch.setenv("CELERY_BROKER_URL", url)
        monkeypatch.setattr(current_app, "_pool", None)
        monkeypatch.setattr(current_app.amqp, "_producer_pool", None)

    return use
