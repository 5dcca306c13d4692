"""Stored files and the workers that take them in: killed ones, lost messages, a broker that is away."""

import logging
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import current_app
from django.db import connection
from django.test import Client
from kombu import Connection

from config.env import client_url
from customers.choices import Scope
from customers.operations.api_keys import create_api_key
from tests.concurrency.conftest import StartBroker, UseBroker
from tests.concurrency.sessions import at_once, sessions, transaction_open
from tests.concurrency.worker import Worker
from tests.factories import SourceSystemFactory, UserFactory
from tests.usage.stored import LATER, block_count, receive
from tests.usage.taking import AT, HEADER, counts, held, leftovers, lines, make_company, take
from usage.models import SourceSystem, UsageDataRecord, UsageImport
from usage.operations.interrupted import recover_interrupted_imports
from usage.operations.stored import take_in_stored
from usage.tasks import SWEEP_SECONDS, WAIT_SECONDS, sweep_imports, take_in, wake_importers

pytestmark = pytest.mark.django_db(transaction=True)

LONGEST_SECONDS = 60
# What a record says, and whether it waits, without what it has from its import.
RECORDS = """
SELECT r.number, r.line_number, r.customer_id, r.subscription_service_id, r.product_id, r.usage_type_id, r.from_date,
  r.to_date, r.usage_amount, r.billing_directive, r.billing_effective_date, r.life_cycle_state, r.udf_string_1,
  p.billing_effective_date AS waits
FROM usage_data_record r LEFT JOIN pending_usage p ON p.record_id = r.id WHERE r.source_system_id = %s
"""


@pytest.fixture(autouse=True)
def source() -> SourceSystem:
    return make_company()


def file_of(count: int) -> str:
    """Rows with duplicates, conflicts and faults among them, in an order of no kind, with cells of two lines."""
    chance = random.Random(count)

    def row(number: int) -> str:
        amount = "x" if number % 200 == 0 else str(number % 997)
        return f'R{number},+49301,CALL,2026-01-15T12:00:00Z,,{amount},"a\n{number}"'

    rows = [row(number) for number in range(1, count + 1)]
    rows += [row(number) for number in range(1, count, 50)]
    rows += [row(number).replace("a\n", "b\n") for number in range(7, count, 1_000)]
    chance.shuffle(rows)
    return lines(*rows, header=f"{HEADER},udf_string_1")


def wait_until(is_so: Callable[[], bool], worker: Worker, what: str) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while not is_so():
        worker.must_live()
        assert time.monotonic() < deadline, f"{what} did not happen:\n{worker.log.read_text()[-3_000:]}"
        time.sleep(0.01)


def send(broker: str, task: str, **arguments: int) -> None:
    with Connection(broker) as messages:
        current_app.send_task(task, kwargs=arguments, connection=messages)


def differences(first_source_id: int, second_source_id: int) -> int:
    """How many records two source systems do not have in common."""
    both = [first_source_id, second_source_id]
    with connection.cursor() as cursor:
        # What the planner knows of these tables is of the tests before: compare sets, not each row with each.
        cursor.execute("ANALYZE usage_data_record, pending_usage")
        cursor.execute(
            f"SELECT count(*) FROM (({RECORDS} EXCEPT {RECORDS}) UNION ALL ({RECORDS} EXCEPT {RECORDS})) d",
            [*both, *both[::-1]],
        )
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize(
    ("held_up_by", "query", "rows"),
    [
        ("SELECT pg_advisory_xact_lock(7701, id::integer) FROM source_system", "SELECT pg_advisory%", 4_000),
        ("LOCK TABLE pending_usage IN SHARE MODE", "%INSERT INTO usage_data_record%", 100_000),
    ],
    ids=["when the file is read", "while records are written"],
)
def test_a_worker_that_is_killed_is_followed_by_one_that_ends_in_the_records_of_a_clean_import(
    held_up_by: str, query: str, rows: int, start_broker: StartBroker, tmp_path: Path, source: SourceSystem
) -> None:
    content, broker, name = file_of(rows), start_broker(), str(connection.settings_dict["NAME"])
    kept = receive(content)
    log = tmp_path / "worker.log"
    waits = f"query LIKE '{query}' AND wait_event_type = 'Lock'"
    with transaction_open() as other:
        # Keeps the worker from going on until it is killed.
        other.execute(held_up_by)
        with Worker(database=name, broker=broker, log=log) as worker:
            send(broker, take_in.name, import_id=kept.pk)
            wait_until(lambda: sessions(waits) == 1, worker, "the lock that it waits for")
            # However often someone comes round: the worker lives, or its session does.
            assert recover_interrupted_imports(at=LATER) == 0
            worker.kill()
        assert recover_interrupted_imports(at=LATER) == 0
        other.execute("ROLLBACK")
    kept.refresh_from_db()
    assert (kept.state, kept.try_count) == ("RUNNING", 1)

    redis.from_url(client_url(broker)).flushall()  # nothing but the sweeper brings it back
    with Worker(database=name, broker=broker, log=log) as worker:

        def is_done() -> bool:
            send(broker, sweep_imports.name)
            time.sleep(0.2)
            return UsageImport.objects.filter(pk=kept.pk).exclude(state__in=["RUNNING", "QUEUED"]).exists()

        wait_until(is_done, worker, "the import's end")
    kept.refresh_from_db()
    assert (kept.state, kept.try_count, kept.error) == ("COMPLETED", 2, "")
    assert (block_count(), leftovers()) == (0, [])

    clean = take(content, source=SourceSystemFactory(name="Undisturbed"))
    assert (
        counts(kept)
        == counts(clean)
        == {
            "accepted": rows - rows // 200,
            "duplicates": rows // 50,
            "conflicts": rows // 1_000,
            "quarantined": rows // 200,
        }
    )
    assert differences(source.pk, clean.source_system_id) == 0


@pytest.fixture
def messages(broker_at: UseBroker, request: pytest.FixtureRequest) -> Any:
    """A broker in memory; calling it gives the task, the import and the life in seconds of each message sent since."""
    url = f"memory://{request.node.name}"
    broker_at(url)

    def received() -> list[tuple[str, int]]:
        found = []
        with Connection(url) as brought, brought.SimpleQueue("celery") as queue:
            while queue.qsize():
                message = queue.get(block=False)
                assert message.headers["expires"] is not None
                found.append((message.headers["task"], message.payload[1]["import_id"]))
                message.ack()
        return found

    return received


def test_a_message_that_is_lost_is_sent_again_by_the_sweeper(messages: Any) -> None:
    first, second = receive(file_of(50)), receive(file_of(60))
    receive(file_of(70), is_queued=False)
    wake_importers(import_id=first.pk)
    assert messages() == [("usage.take_in", first.pk)]
    sweep_imports()
    found = messages()
    assert found == [("usage.take_in", first.pk), ("usage.take_in", second.pk)]
    for _, import_id in found * 2:  # a message that comes twice does no harm
        take_in(import_id=import_id)
    assert list(UsageImport.objects.order_by("id").values_list("state", flat=True)) == [
        *("COMPLETED", "COMPLETED"),
        "UPLOADED",
    ]
    sweep_imports()
    assert messages() == []


def test_the_sweeper_brings_back_what_its_worker_left(messages: Any) -> None:
    kept = receive(file_of(50))
    UsageImport.objects.filter(pk=kept.pk).update(state="RUNNING", try_count=1)
    sweep_imports()
    assert messages() == [("usage.take_in", kept.pk)]
    take_in(import_id=kept.pk)
    kept.refresh_from_db()
    assert (kept.state, kept.try_count) == ("COMPLETED", 2)


def test_the_sweepers_messages_live_no_longer_than_until_it_comes_round_again(settings: Any) -> None:
    (entry,) = (each for each in settings.CELERY_BEAT_SCHEDULE.values() if each["task"] == sweep_imports.name)
    assert entry["schedule"] == SWEEP_SECONDS < WAIT_SECONDS


@pytest.mark.parametrize("url", ["redis+socket:///nowhere/valkey.sock", "redis://127.0.0.1:1/0"])
def test_a_broker_that_is_away_is_no_error_and_nobody_waits_for_it(
    url: str, broker_at: UseBroker, caplog: pytest.LogCaptureFixture
) -> None:
    broker_at(url)
    kept = receive(file_of(50))
    begun = time.monotonic()
    with caplog.at_level(logging.WARNING):
        wake_importers(import_id=kept.pk)
        sweep_imports()
    assert time.monotonic() - begun < 2
    assert [record.getMessage() for record in caplog.records] == [
        f"The broker is away; import {kept.pk} is taken in when it is back."
    ] * 2
    assert (block_count(), UsageImport.objects.get().state) == (1, "QUEUED")


def test_a_file_is_acknowledged_while_the_broker_is_away_and_taken_in_later(broker_at: UseBroker) -> None:
    broker_at("redis://127.0.0.1:1/0")
    _, key = create_api_key(scopes=list(Scope.values), user_id=UserFactory(is_superuser=True).pk)
    response = Client().post(
        "/usage/v1/usage_imports?source_system=Switch",
        file_of(50).encode(),
        content_type="text/csv",
        headers={"Authorization": f"Bearer {key}"},
    )
    assert (response.status_code, response.json()["state"]) == (202, "QUEUED")
    take_in(import_id=int(response.json()["id"]))
    assert UsageImport.objects.get().state == "COMPLETED"


def test_several_workers_at_one_file_take_it_in_once() -> None:
    kept = receive(file_of(3_000))
    done = at_once([lambda: take_in_stored(import_id=kept.pk, at=LATER)] * 4)
    assert [one for one in done if one is not None] == [kept]
    kept.refresh_from_db()
    assert (kept.state, kept.try_count, counts(kept)["accepted"]) == ("COMPLETED", 1, 2_985)


def test_one_file_that_comes_several_times_at_once_is_kept_once() -> None:
    content = file_of(3_000)
    kept = at_once([lambda: receive(content)] * 4)
    assert {one.pk for one in kept if isinstance(one, UsageImport)} == {UsageImport.objects.get().pk}, kept
    assert block_count() == 1


def test_overlapping_stored_files_at_once_end_in_the_records_of_one_import() -> None:
    kept = [receive(file_of(count)) for count in (2_000, 3_000, 4_000)]
    done = at_once([lambda pk=one.pk: take_in_stored(import_id=pk, at=LATER) for one in kept])  # type: ignore[misc]
    assert all(isinstance(one, UsageImport) for one in done), done
    assert sum(counts(one).get("accepted", 0) for one in kept) == UsageDataRecord.objects.count() == 3_980
    assert held()[1] == 3_980
    assert block_count() == 0


def test_a_file_that_waits_while_another_is_taken_directly_is_not_taken_twice() -> None:
    content = file_of(2_000)
    kept = receive(content)
    stored, direct = at_once([lambda: take_in_stored(import_id=kept.pk, at=LATER), lambda: take(content, at=AT)])
    assert isinstance(stored, UsageImport), stored
    assert isinstance(direct, UsageImport), direct
    assert UsageDataRecord.objects.count() == 1_990
    assert UsageImport.objects.filter(state="COMPLETED").count() == 1
    assert direct.state == "COMPLETED"
