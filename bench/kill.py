"""Kills the workers in the middle of a run, again and again, and compares the invoices with an undisturbed run's."""

import subprocess
import sys
import time

from bench.databases import KILLED, PRODUCT, Databases
from bench.generate import MONTH_CUTOFF
from bench.workers import Workers
from config.env import BASE_DIR

LONGEST_SECONDS = 1_800
PRODUCED = "SELECT count(*) FILTER (WHERE produced_at IS NOT NULL), count(*) FROM run_chunk"
# What an invoice says and what it is made of, without row ids and times.
INVOICES = """
SELECT i.number, i.content_sha256, c.charges
FROM invoice i
JOIN (
  SELECT l.invoice_id, md5(string_agg(concat_ws('|', r.number, c.quantity, c.amount), ',' ORDER BY r.number)) AS charges
  FROM usage_charge c
  JOIN invoice_line l ON l.id = c.line_id
  JOIN usage_data_record r ON r.id = c.record_id
  GROUP BY l.invoice_id
) c ON c.invoice_id = i.id
"""


def differences_after_kills(databases: Databases, *, workers: int, kills: int) -> int:
    """How many invoices are in one of the two databases and not, the same, in the other."""
    command = [sys.executable, "-m", "bench.product", "run", MONTH_CUTOFF]
    with subprocess.Popen(command, cwd=BASE_DIR, env=databases.environment(KILLED), stdout=subprocess.DEVNULL) as run:
        for kill in range(kills):
            with Workers(databases, KILLED, workers, beat=True) as pool:
                _wait_for_part(databases, (kill + 1) / (kills + 1))
                pool.kill()
        with Workers(databases, KILLED, workers, beat=True):
            if run.wait(timeout=LONGEST_SECONDS):
                raise RuntimeError("The run that was killed in the middle did not come to its end.")
    return len(_invoices(databases, PRODUCT) ^ _invoices(databases, KILLED))


def _wait_for_part(databases: Databases, part: float) -> None:
    """Until this part of the chunks is produced, and, as ever, others are being produced."""
    deadline = time.monotonic() + LONGEST_SECONDS
    with databases.connect(KILLED) as connection:
        while time.monotonic() < deadline:
            produced, all_chunks = connection.execute(PRODUCED).fetchone() or (0, 0)
            if all_chunks and produced >= part * (all_chunks - 1):
                time.sleep(0.3)
                return
            time.sleep(0.05)
    raise RuntimeError("The run did not get on.")


def _invoices(databases: Databases, name: str) -> set[tuple[str, str, str]]:
    with databases.connect(name) as connection:
        return {(number, content, charges) for number, content, charges in connection.execute(INVOICES).fetchall()}
