"""How many PDFs a core makes a second, how that grows with the lines of a document, and whether memory stays flat."""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

import psutil

from config.env import BASE_DIR

LINES = (40, 400, 2_000)
DOCUMENTS = {40: 400, 400: 30, 2_000: 8}


@dataclass(frozen=True, slots=True)
class Pdfs:
    """Of documents with so many lines: how many a second of one core, data and typesetting together; seconds of the

    clock for one; bytes and pages of one; the most megabytes that the typesetting process held in the first half of the
    documents and in the second.
    """

    lines: int
    documents: int
    per_core_second: float
    seconds: float
    bytes: int
    pages: int
    megabytes_first: int
    megabytes_last: int


def measure_pdfs(*, part: int = 1) -> list[Pdfs]:
    """Make them in a process of its own, which needs no database: a `part`th of what is worth measuring."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings.test"}
    done = subprocess.run(
        [sys.executable, "-m", "bench.pdf", str(part)],
        check=True,
        cwd=BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
    )
    return [Pdfs(**found) for found in json.loads(done.stdout)]


def _measure(line_count: int, part: int) -> Pdfs:
    from invoicing.adapters.layouts import layout_of
    from invoicing.adapters.pdf import end_typesetting, page_count
    from invoicing.adapters.sample import sample

    layout = layout_of(None, language="en")
    count = max(2, DOCUMENTS[line_count] // part)
    # Others have other numbers and names: what was typeset before is of no use to them.
    documents = [sample(line_count=line_count, number=f"INV-{line_count}-{number}") for number in range(count + 3)]
    for position, document in enumerate(documents):
        for line in document.lines:
            line.product_name = f"{line.product_name} {position}"
            line.quantity += position
    pdf = b""
    for document in documents[:3]:
        pdf = document.pdf(layout)
    held = [_megabytes()]
    used, started = _processor_seconds(), time.perf_counter()
    for document in documents[3:]:
        document.pdf(layout)
        held.append(_megabytes())
    took = time.perf_counter() - started
    end_typesetting()
    used = _processor_seconds() - used
    half = len(held) // 2
    return Pdfs(
        lines=line_count,
        documents=count,
        per_core_second=count / used,
        seconds=took / count,
        bytes=len(pdf),
        pages=page_count(pdf),
        megabytes_first=max(held[:half]),
        megabytes_last=max(held[half:]),
    )


def _megabytes() -> int:
    """What the process that typesets holds now; 0 where none runs."""
    return sum(int(process.memory_info().rss) for process in psutil.Process().children()) // 1024**2


def _processor_seconds() -> float:
    """Of this process and of those that typeset, ended ones too."""
    ended = os.times()
    running = [process.cpu_times() for process in psutil.Process().children()]
    return (
        time.process_time()
        + ended.children_user
        + ended.children_system
        + sum(float(times.user + times.system) for times in running)
    )


if __name__ == "__main__":
    import django

    django.setup()
    json.dump([asdict(_measure(lines, int(sys.argv[1]))) for lines in LINES], sys.stdout)
