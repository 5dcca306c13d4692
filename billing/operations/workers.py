"""What a worker says of itself: on its connection while it holds a chunk, and on the chunk when that is produced."""

import os
import socket
import time
from datetime import datetime

from django.db import connection

from billing.models import RunChunk
from billing.queries.workers import connection_name, worker_name


def say_who_works(chunk: RunChunk) -> int:
    """Let everybody see that this process holds the chunk, until its transaction ends, however it ends.

    Gives back a reading of the stopwatch for `mark_produced`.
    """
    name = connection_name(
        run_id=chunk.run_id, chunk_number=chunk.number, process=os.getpid(), host=socket.gethostname()
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', %s, true)", [name])
    return time.monotonic_ns()


def mark_produced(chunk: RunChunk, *, at: datetime, began: int) -> None:
    """Note that the chunk, begun at `at`, is produced, by whom, and how long that took since `began`."""
    chunk.produced_at = at
    chunk.duration_ms = (time.monotonic_ns() - began) // 1_000_000
    chunk.worker = worker_name(process=os.getpid(), host=socket.gethostname())
    chunk.save(update_fields=["produced_at", "duration_ms", "worker"])
