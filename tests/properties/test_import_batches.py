"""However usage is cut into files, repeated, mixed up, sent by two processes and broken off: the same records."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from django.db import connection
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.concurrency.importers import Importers
from tests.factories import SourceSystemFactory, UsageTypeFactory
from tests.usage.taking import lines, make_company, take
from usage.models import PendingUsage, SourceSystem, UsageDataRecord, UsageImport

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = count(1)
CONTENT = ("number", "subscription_service_id", "product_id", "from_date", "to_date", "usage_amount", "destination")


@dataclass(frozen=True)
class Plan:
    """How many records there are, how they are cut and mixed, and when the first process is killed."""

    record_count: int
    batch_count: int
    overlap: int
    seed: int
    killed_after: float


plans = st.builds(
    Plan,
    record_count=st.integers(1, 400),
    batch_count=st.integers(1, 5),
    overlap=st.integers(0, 60),
    seed=st.integers(0, 10**6),
    killed_after=st.floats(0, 0.25),
)


@pytest.fixture
def importers() -> Iterator[Importers]:
    make_company()
    with Importers(str(connection.settings_dict["NAME"])) as processes:
        yield processes


def rows_of(record_count: int) -> list[str]:
    return [
        f"R{n:05},+49301,CALL,2026-01-{1 + n % 28:02}T12:00:00Z,2026-01-{1 + n % 28:02}T12:01:00Z,{n % 97}.5"
        for n in range(record_count)
    ]


def batches(plan: Plan, folder: Path, rows: list[str]) -> list[list[Path]]:
    """Files of two senders: each shuffles the rows, cuts them, lets the parts overlap and repeats some rows."""
    chance = random.Random(plan.seed)
    senders: list[list[Path]] = []
    for sender in range(2):
        mixed = rows.copy()
        chance.shuffle(mixed)
        size = -(-len(mixed) // plan.batch_count)
        files = []
        for number, start in enumerate(range(0, len(mixed), size)):
            part = mixed[max(0, start - plan.overlap) : start + size]
            part += chance.sample(part, k=min(len(part), 10))
            chance.shuffle(part)
            file = folder / f"{plan.seed}-{sender}-{number}.csv"
            file.write_text(lines(*part))
            files.append(file)
        senders.append(files)
    return senders


def new_source() -> SourceSystem:
    return SourceSystemFactory(name=f"Switch {next(NAMES)}", default_usage_type=UsageTypeFactory())


def contents(source: SourceSystem) -> list[tuple[object, ...]]:
    return list(UsageDataRecord.objects.filter(source_system=source).order_by("number").values_list(*CONTENT))


# The processes that import, and the company, are the same for all plans; each plan has source systems of its own.
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=plans)
def test_batches_of_two_processes_one_of_them_killed_end_in_the_records_of_one_clean_import(
    importers: Importers, tmp_path_factory: pytest.TempPathFactory, plan: Plan
) -> None:
    rows, folder = rows_of(plan.record_count), tmp_path_factory.mktemp("batches")
    clean, source = new_source(), new_source()
    take(lines(*rows), source=clean)

    first, second = batches(plan, folder, rows)
    killed, other = importers.start(source.pk, first), importers.start(source.pk, second)
    time.sleep(plan.killed_after)
    importers.kill(killed)
    is_killed = importers.wait(killed) != 0
    # Whoever was killed sends everything again, while the other goes on.
    again = importers.start(source.pk, first)
    assert (importers.wait(again), importers.wait(other)) == (0, 0)

    event(f"killed: {is_killed}")
    assert contents(source) == contents(clean)
    done = UsageImport.objects.filter(source_system=source, state="COMPLETED")
    accepted = sum(done.values_list("accepted_count", flat=True))
    others = sum(conflicts + faulty for conflicts, faulty in done.values_list("conflict_count", "quarantined_count"))
    assert (accepted, others) == (plan.record_count, 0)
    assert PendingUsage.objects.filter(record__source_system=source).count() == plan.record_count
