"""The list of invoices and one of them, asked of a real web server that has many."""

import http.client
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.databases import INVOICES, Databases
from bench.json_api import LONGEST_SECONDS, WebServer, api_keys, web_server
from bench.steps import step

SQL = Path(__file__).parent / "invoices.sql"
PATH = "/billing/v3/invoices"
LIMIT = 100
REQUESTS = 200


@dataclass(frozen=True, slots=True)
class Answers:
    """The seconds that half and 99 of 100 requests took at most."""

    median: float
    p99: float


@dataclass(frozen=True, slots=True)
class InvoicesApi:
    """Pages of 100 of so many invoices with five lines each, and one invoice, one request after the other.

    Memory is the most of a process of the server, in KiB: after the first pages, and after all requests.
    """

    invoices: int
    first_page: Answers
    last_page: Answers
    one: Answers
    first_kib: int
    last_kib: int


def measure_invoices(databases: Databases, *, invoices: int = 100_000, requests: int = REQUESTS) -> InvoicesApi:
    """Make the invoices in a database of their own, a copy of the product's with its company, and ask for them."""
    databases.copy(INVOICES)
    with databases.connect(INVOICES) as connection:
        for statement in SQL.read_text().split(";\n"):
            connection.execute(statement, {"invoices": invoices})
        connection.execute("VACUUM ANALYZE")
    places: dict[str, Any] = step(databases, INVOICES, "invoice_places", str(LIMIT))
    (key,) = api_keys(databases, INVOICES, 1)
    first, last = f"{PATH}?limit={LIMIT}", f"{PATH}?limit={LIMIT}&cursor={places['cursor']}"
    with web_server(databases, INVOICES) as server:
        ask = _client(server, key)
        for path in [first, last, f"{PATH}/{places['ids'][0]}"] * (requests // 10):
            ask(path)
        first_kib = _peak_kib(server)
        # In turn, so that what else the machine does falls on both alike.
        pages = [_seconds(ask, path) for path in [first, last] * requests]
        one = [_seconds(ask, f"{PATH}/{invoice_id}") for invoice_id in places["ids"][:requests]]
        last_kib = _peak_kib(server)
    return InvoicesApi(
        invoices=invoices,
        first_page=_answers(pages[::2]),
        last_page=_answers(pages[1::2]),
        one=_answers(one),
        first_kib=first_kib,
        last_kib=last_kib,
    )


def _client(server: WebServer, key: str) -> Callable[[str], None]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONGEST_SECONDS)

    def ask(path: str) -> None:
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(f"{path}: {answer.status} {text.decode()[:300]}")

    return ask


def _seconds(ask: Callable[[str], None], path: str) -> float:
    began = time.perf_counter()
    ask(path)
    return time.perf_counter() - began


def _answers(seconds: Iterable[float]) -> Answers:
    ordered = sorted(seconds)
    return Answers(ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100])


def _peak_kib(server: WebServer) -> int:
    """The most memory that any process of the server had, in KiB."""
    processes = psutil.Process(server.pid).children(recursive=True)
    status = [Path(f"/proc/{process.pid}/status").read_text().splitlines() for process in processes]
    peaks = [int(line.split()[1]) for lines in status for line in lines if line.startswith("VmHWM:")]
    return max(peaks, default=0)
