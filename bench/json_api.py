"""Records sent one by one as JSON to a real web server, by several clients at once."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.databases import PRODUCT, Databases
from config.embedded import machine
from config.env import BASE_DIR

CLIENTS = 8
# A tenth as many as there are records, and no more than these; before them a twentieth, which is not measured.
REQUESTS = 4_000
WARM_UP_PART = 20
LONGEST_SECONDS = 60
PATH = "/usage/v1/usage_data_records"


@dataclass(frozen=True, slots=True)
class JsonApi:
    """Requests a second of all clients together, and the seconds that half and 99 of 100 requests took at most."""

    requests: int
    rate: float
    median: float
    p99: float


@dataclass(frozen=True, slots=True)
class WebServer:
    """Where it listens on the loopback, and the process that its workers are children of."""

    port: int
    pid: int


def measure(databases: Databases, *, records: int) -> JsonApi:
    """Send as many as are worth measuring where there are so many records; all have to be answered with 201."""
    requests = min(REQUESTS, max(CLIENTS, records // 10))
    warm_up = max(CLIENTS, requests // WARM_UP_PART)
    keys = api_keys(databases, PRODUCT, CLIENTS)
    with web_server(databases, PRODUCT) as server:
        _send(server.port, keys, warm_up, start=0)
        started = time.perf_counter()
        seconds = sorted(_send(server.port, keys, requests, start=warm_up))
        took = time.perf_counter() - started
    return JsonApi(len(seconds), len(seconds) / took, seconds[len(seconds) // 2], seconds[len(seconds) * 99 // 100])


def api_keys(databases: Databases, name: str, count: int) -> list[str]:
    """New keys of a user who may do all."""
    command = [sys.executable, "-m", "bench.product", "keys", str(count)]
    environment = databases.environment(name)
    done = subprocess.run(command, check=True, cwd=BASE_DIR, env=environment, stdout=subprocess.PIPE)
    keys: list[str] = json.loads(done.stdout)["keys"]
    return keys


@contextmanager
def web_server(databases: Databases, name: str) -> Iterator[WebServer]:
    """The web server as `manage.py run` starts it, on a free port of this machine's loopback."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    workers = str(machine.bounded(machine.cores(), 2, 3))
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", workers]
    command += ["--threads", "4", "--log-level", "warning"]
    process = subprocess.Popen(command, cwd=BASE_DIR, env=databases.environment(name))
    try:
        _wait_for(port, process)
        yield WebServer(port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=LONGEST_SECONDS)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("The web server did not come up.")


def _send(port: int, keys: list[str], count: int, *, start: int) -> list[float]:
    """Each client sends its part over one connection; the seconds of each request."""
    seconds: list[float] = []
    refused: list[str] = []
    shares = [range(start + client, start + count, len(keys)) for client in range(len(keys))]
    clients = [
        threading.Thread(target=_client, args=(port, key, share, seconds, refused))
        for key, share in zip(keys, shares, strict=True)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    if refused or len(seconds) != count:
        raise RuntimeError(f"{count - len(seconds)} records were not taken: {refused[:1]}")
    return seconds


def _client(port: int, key: str, numbers: range, seconds: list[float], refused: list[str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST_SECONDS)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    for number in numbers:
        body = json.dumps(
            {
                "number": f"json-{number}",
                "source_system": {"name": "Switch"},
                "subscription_service": {"identifier": f"44{number % 100:09d}"},
                "product": {"code": f"VOICE-{number % 8}"},
                "from_date": f"2026-10-{1 + number % 28:02d}T12:00:00Z",
                "to_date": f"2026-10-{1 + number % 28:02d}T12:01:00Z",
                "usage_amount": 60,
                "destination": "+49301234567",
                "udf_string_1": "trunk-1",
            }
        )
        began = time.perf_counter()
        connection.request("POST", PATH, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != http.client.CREATED:
            refused.append(f"{answer.status} {text.decode()[:300]}")
            break
        seconds.append(time.perf_counter() - began)
    connection.close()
