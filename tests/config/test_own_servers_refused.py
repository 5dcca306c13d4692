"""Own servers that cannot be had: one sentence, within a bounded time."""

import os
import signal
from pathlib import Path

import pytest

from config.checkout import Place
from config.embedded import ServiceError, account, machine, own, postgres, valkey

from .conftest import MakePlace


def refusal(place: Place, *, database: bool = True, broker: bool = False) -> str:
    with pytest.raises(ServiceError) as caught:
        own.ensure(place, database=database, broker=broker)
    return str(caught.value)


def test_data_of_another_version(place: Place) -> None:
    (place.postgres_data / "PG_VERSION").write_text("15\n")
    assert refusal(place) == (
        f"{place.postgres_data} was made by PostgreSQL 15, the installed one is 18: "
        "move the folder away, or dump it with version 15 and load it again."
    )


def test_a_folder_that_is_no_data_folder(make_place: MakePlace) -> None:
    place = make_place(has_data=False)
    place.postgres_data.mkdir()
    (place.postgres_data / "letter.txt").write_text("Dear Sir")
    assert refusal(place) == f"{place.postgres_data} is not a data folder of PostgreSQL: move it away."
    assert (place.postgres_data / "letter.txt").exists()


def test_broken_data(place: Place) -> None:
    (place.postgres_data / "global" / "pg_control").unlink()
    said = refusal(place)
    assert said.startswith("PostgreSQL did not start (")
    assert said.endswith(f": see {place.postgres_log}.")


def test_a_setting_that_postgres_does_not_know(place: Place) -> None:
    with (place.postgres_data / "postgresql.conf").open("a") as handle:
        handle.write("nonsense = on\n")
    assert refusal(place).startswith("PostgreSQL did not start (")
    assert refusal(place).endswith(f": see {place.postgres_log}.")


def test_a_full_disk(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "free_disk", lambda _: 3)
    assert refusal(place) == f"The disk of {place.local} is full: 3 MB are free, PostgreSQL needs 100."


def test_a_data_folder_that_cannot_be_made_leaves_nothing_half_made(
    make_place: MakePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make_place(has_data=False)
    monkeypatch.setattr(postgres, "POSTGRES_USER", "pg_reserved")
    said = refusal(place)
    assert said.startswith("PostgreSQL's data folder could not be made (")
    assert said.endswith(f": see {place.postgres_log}.")
    assert not [file.name for file in place.local.iterdir() if file.name.startswith("postgres") and file.is_dir()]


def test_valkey_that_runs_but_does_not_answer(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(valkey, "ANSWER_SECONDS", 0.1)
    own.ensure(place, database=False, broker=True)
    pid = valkey.server_pid(place)
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        said = refusal(place, database=False, broker=True)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert said == f"Valkey (process {pid}) runs but does not answer: end that process and try again."


def test_another_place_s_server_on_the_socket(make_place: MakePlace) -> None:
    """As where a checkout was copied with its sockets, or moved while its servers ran."""
    running, other = make_place("one"), make_place("two")
    own.ensure(running, database=True, broker=True)
    other.sockets.symlink_to(running.sockets)
    other.valkey_folder.mkdir()

    assert refusal(other) == (
        f"Another PostgreSQL, that of {running.postgres_data}, uses the socket in {other.sockets}: stop that one."
    )
    assert refusal(other, database=False, broker=True) == (
        f"Another server, that of {running.valkey_folder}, uses {other.valkey_socket}: stop that one."
    )
    other.sockets.unlink()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = Place(tmp_path / "file" / ".local")
    assert refusal(place) == f"The own servers cannot be started (not a directory: {place.local})."


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become another user")
def test_root_without_namespaces_in_a_folder_that_nobody_can_enter(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "namespace_prefix", lambda _: ())
    said = refusal(place)
    assert said.startswith("PostgreSQL cannot run as root here, and the user it would run as cannot reach ")
    assert said.endswith(": run this as an ordinary user who owns the checkout, or set DATABASE_URL.")
    assert place.postgres_data.stat().st_uid == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_short_folder_that_another_user_made_first(make_place: MakePlace) -> None:
    place = make_place("x" * 110)
    place.sockets.mkdir()
    os.chown(place.sockets, 12345, 12345)
    assert refusal(place) == (f"{place.sockets} belongs to user 12345: remove it, or set DATABASE_URL and REDIS_URL.")
