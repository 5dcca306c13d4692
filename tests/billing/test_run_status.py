"""How far a run is, on the command line."""

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from billing.management.commands import run_status
from billing.models import BillingRun
from billing.operations.production import produce_next_chunk
from billing.operations.runs import commence_run
from tests.factories import BillingRunFactory, RunAccountFactory, RunChunkFactory
from tests.runs import AT, customer_at, new_run, use

pytestmark = pytest.mark.django_db


class Terminal(StringIO):
    """Standard output of a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def said(run: BillingRun, *options: str, out: StringIO | None = None) -> str:
    out = out or StringIO()
    call_command("run_status", str(run.pk), *options, stdout=out)
    return out.getvalue()


@pytest.fixture
def half() -> BillingRun:
    """A commenced run of two chunks with a customer and 100 records each. One is done; its customer is held."""
    run: BillingRun = BillingRunFactory(name="January", commenced=True)
    done, waits = (RunChunkFactory(run=run, record_count=100, account_count=1) for _ in range(2))
    done.produced_at = AT
    done.save()
    RunAccountFactory(chunk=done, outcome="held", held_for="tax", reason="The customer has no tax rate. Give it one.")
    RunAccountFactory(chunk=waits)
    return run


def lines_of(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line]


def test_says_how_far_a_run_is(half: BillingRun) -> None:
    # (100 records + 1 account) of (200 + 2) is half of it: 20 of 40 signs.
    assert lines_of(said(half)) == [
        f"Run {half.pk} January commenced",
        f"[{'#' * 20}{'.' * 20}] 50 %",
        "Records 100 of 200",
        "Chunks 1 of 2",
        "Waiting 1",
        "Invoiced 0",
        "Nothing to bill 0",
        "Held 1",
        "Failed 0",
        "Accounts 2",
        "Held for No tax rate: 1",
        "At work nobody",
        "Held and failed, by cause",
        "1 held: The customer has no tax rate. Give it one.",
    ]


def test_paused_run_is_called_so(half: BillingRun) -> None:
    BillingRun.objects.filter(pk=half.pk).update(paused_at=AT)
    assert lines_of(said(half))[0] == f"Run {half.pk} January paused"


def test_failed_accounts_make_it_exit_with_1(half: BillingRun) -> None:
    half.accounts.filter(outcome="waiting").update(outcome="failed", reason="Refused.")
    with pytest.raises(CommandError, match=rf"^1 of 2 accounts of run {half.pk} \(January\) failed\.$") as error:
        said(half)
    assert error.value.returncode == 1


def test_cancelled_run_makes_it_exit_with_1() -> None:
    run = BillingRunFactory(name="January", status="cancelled")
    with pytest.raises(CommandError, match=r"was cancelled\. Nothing was produced\.$"):
        said(run, "--watch")


def test_run_that_is_not_there_is_said(half: BillingRun) -> None:
    with pytest.raises(CommandError, match=rf"^There is no billing run 0\. The latest: {half.pk} \(January\)\.$"):
        call_command("run_status", "0")


@pytest.mark.parametrize("seconds", ["0", "x", "-1", "3601"])
def test_interval_is_a_number_of_seconds(half: BillingRun, seconds: str) -> None:
    with pytest.raises(CommandError, match="no number of seconds from 1 to 3600"):
        said(half, "--watch", f"--interval={seconds}")


@pytest.fixture
def worked_on(monkeypatch: pytest.MonkeyPatch) -> BillingRun:
    """A commenced run of two chunks; one is produced whenever somebody waits for the next look at it."""
    acme, call = customer_at("0.10")
    other, text = customer_at("0.20")
    use(acme, call, 10)
    use(other, text, 10)
    run = commence_run(run_id=new_run(name="January").pk, at=AT, chunk_records=1, without_preflight=True)
    waited: list[int] = []

    def work(seconds: int) -> None:
        waited.append(seconds)
        assert len(waited) <= 3, "nobody stops looking"
        produce_next_chunk(run_id=run.pk, at=AT)

    monkeypatch.setattr("time.sleep", work)
    return run


@pytest.mark.django_db(transaction=True)
def test_watching_in_a_pipe_gives_a_line_each_time_until_it_is_completed(worked_on: BillingRun) -> None:
    lines = [line.split(" ", 1)[1] for line in said(worked_on, "--watch").splitlines()]
    # Both customers are invoiced: 10 x 0.10 = 1.00 and 10 x 0.20 = 2.00.
    assert lines == [
        "commenced 0 %, 0 of 2 accounts",
        "commenced 50 %, 1 of 2 accounts",
        "completed 100 %, 2 of 2 accounts",
    ]


@pytest.mark.django_db(transaction=True)
def test_watching_in_a_terminal_writes_over_one_screen(worked_on: BillingRun) -> None:
    text = said(worked_on, "--watch", out=Terminal())
    screens = text.split(run_status.HOME)
    assert screens[0] == run_status.CLEAR_SCREEN
    assert [re.findall(r"\d+ %", screen) for screen in screens[1:]] == [["0 %"], ["50 %"], ["100 %"]]
    assert all(screen.endswith(run_status.CLEAR_BELOW) for screen in screens[1:])


def test_stopped_by_a_person_says_that_the_run_goes_on(half: BillingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupted)
    with pytest.raises(CommandError, match=rf"^Stopped looking\. Run {half.pk} \(January\) goes on\.$"):
        said(half, "--watch")
