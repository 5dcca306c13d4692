"""Who is producing which chunk of a run at this moment, read from the connections to the database.

A worker names its run, its chunk, its process and its host in the `application_name` of its connection, for exactly the
transaction in which it holds the chunk's lock. So this cannot lie: when a worker is killed, PostgreSQL ends its
connection, and the lock and the name go together. A row that says "worker 7 is at chunk 3" would have to be committed
before the work, and would go on saying so after the worker's death until somebody cleared it away, which takes a lease
and a heartbeat; written in the chunk's own transaction nobody else would see it. An advisory lock goes with its worker
too, but holds two numbers and no host. The name is set for the transaction only, so a pooler that hands the connection
on hands nothing of it on.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import connection

SQL = Path(__file__).parent / "sql"
# PostgreSQL keeps 63 bytes of it, and cuts at the end: the host stands last.
NAME = re.compile(r"tollbook run (?P<run_id>\d+) chunk (?P<number>\d+) (?P<process>\d+)@(?P<host>.*)")


@dataclass(frozen=True, slots=True)
class WorkerAtWork:
    """A worker (`host:process`), the chunk whose lock it holds, and since when.

    `is_waiting` where its statement waits for a lock of somebody else.
    """

    worker: str
    chunk_number: int
    account_count: int
    record_count: int
    since: datetime
    is_waiting: bool


def connection_name(*, run_id: int, chunk_number: int, process: int, host: str) -> str:
    """What a worker calls its connection while it produces a chunk."""
    return f"tollbook run {run_id} chunk {chunk_number} {process}@{host}"


def worker_name(*, process: int, host: str) -> str:
    """A worker in words: `host:process`."""
    return f"{host}:{process}"


def workers_at(run_id: int) -> tuple[WorkerAtWork, ...]:
    """Who holds a chunk of the run now, by the number of the chunk. One query."""
    with connection.cursor() as cursor:
        cursor.execute((SQL / "workers.sql").read_text(), {"run_id": run_id, "name": f"tollbook run {run_id} chunk %"})
        rows = cursor.fetchall()
    return tuple(WorkerAtWork(_worker_called(name), *rest) for name, *rest in rows)


def _worker_called(name: str) -> str:
    found = NAME.fullmatch(name)
    return worker_name(process=int(found["process"]), host=found["host"]) if found else name
