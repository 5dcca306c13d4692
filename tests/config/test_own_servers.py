"""The own servers on real processes: started, found again, killed, started again, stopped."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from config.checkout import ROOT, SHORT_FOLDER, Place
from config.embedded import own, postgres, processes, valkey

from .conftest import MakePlace


def pids(place: Place) -> tuple[int | None, int | None]:
    return postgres.server_pid(place), valkey.server_pid(place)


def ask(place: Place, query: str) -> object:
    with postgres.connect(place) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_servers_are_made_found_again_and_stopped(make_place: MakePlace) -> None:
    place = make_place(has_data=False)
    told: list[str] = []
    own.ensure(place, database=True, broker=True, report=told.append)
    started = pids(place)
    own.ensure(place, database=True, broker=True, report=told.append)

    assert told == [f"Starting PostgreSQL and Valkey in {place.local} ..."]
    assert None not in started
    assert pids(place) == started
    assert ask(place, "SELECT current_database()") == "tollbook"
    assert valkey.ask(place, "PING") == "+PONG\r\n"
    assert own.stop(place) == ["PostgreSQL", "Valkey"]
    assert pids(place) == (None, None)
    assert not any(pid and processes.is_alive(pid) for pid in started)
    assert own.stop(place) == []


def test_postgres_listens_to_this_user_alone_and_keeps_what_it_acknowledged(place: Place) -> None:
    own.ensure(place, database=True, broker=False)

    assert ask(place, "SHOW listen_addresses") == ""
    assert stat.S_IMODE(place.sockets.stat().st_mode) == 0o700
    assert [ask(place, f"SHOW {name}") for name in ("fsync", "full_page_writes", "synchronous_commit")] == ["on"] * 3
    assert ask(place, "SELECT lower('ÄÖ')") == "äö"


def test_each_server_stands_for_itself(place: Place) -> None:
    own.ensure(place, database=False, broker=True)
    assert own.missing(place, database=True, broker=True) == ["PostgreSQL"]
    assert own.stop(place) == ["Valkey"]


def test_killed_servers_are_started_again_with_what_was_committed(place: Place) -> None:
    own.ensure(place, database=True, broker=True)
    with postgres.connect(place) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    for pid in pids(place):
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    own.ensure(place, database=True, broker=True)

    assert ask(place, "SELECT answer FROM kept") == 42
    assert valkey.is_ready(place)


def test_process_ids_that_strangers_have_by_now_do_no_harm(place: Place) -> None:
    """As after a reboot: the files of the killed servers name processes that are others by now, here this test."""
    mine = f"{os.getpid()}\n"
    place.sockets.mkdir(mode=0o700)
    place.valkey_folder.mkdir()
    (place.postgres_data / "postmaster.pid").write_text(f"{mine}{place.postgres_data}\n0\n5432\n\n\n0 0\nready   \n")
    postgres.socket_file(place).with_name(".s.PGSQL.5432.lock").write_text(mine)
    valkey.pid_file(place).write_text(mine)

    assert own.stop(place) == []
    own.ensure(place, database=True, broker=True)

    assert os.getpid() not in pids(place)
    assert own.stop(place) == ["PostgreSQL", "Valkey"]


def test_many_processes_at_once_start_the_servers_once(place: Place) -> None:
    script = (
        "import sys; from pathlib import Path; from config.checkout import Place; from config.embedded import own\n"
        "own.ensure(Place(Path(sys.argv[1])), database=True, broker=True, report=print)"
    )
    command = [sys.executable, "-c", script, str(place.local)]
    started = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = [process.communicate(timeout=60)[0] for process in started]

    assert [process.returncode for process in started] == [0] * 4
    assert "".join(said) == f"Starting PostgreSQL and Valkey in {place.local} ...\n"


@pytest.mark.parametrize("name", ["x" * 110, "a, b's %20?"], ids=["too long for a socket", "not plain"])
def test_paths_that_sockets_cannot_have_get_a_short_folder(make_place: MakePlace, name: str) -> None:
    place = make_place(name)
    assert place.sockets.parent == SHORT_FOLDER
    own.ensure(place, database=True, broker=True)
    assert own.missing(place, database=True, broker=True) == []


def test_a_deleted_socket_folder_is_made_again(place: Place) -> None:
    own.ensure(place, database=True, broker=True)
    shutil.rmtree(place.sockets)
    own.ensure(place, database=True, broker=True)
    assert own.missing(place, database=True, broker=True) == []


def test_a_dropped_database_is_made_again(place: Place) -> None:
    own.ensure(place, database=True, broker=False)
    with postgres.connect(place, "postgres") as connection:
        connection.execute("DROP DATABASE tollbook")
    own.ensure(place, database=True, broker=False)
    assert ask(place, "SELECT current_database()") == "tollbook"


def test_the_servers_of_a_moved_checkout_can_be_stopped(place: Place) -> None:
    own.ensure(place, database=True, broker=True)
    moved = Place(place.local.parent.with_name("moved") / ".local")
    place.local.parent.rename(moved.local.parent)
    try:
        assert own.stop(moved) == ["PostgreSQL", "Valkey"]
    finally:
        moved.local.parent.rename(place.local.parent)


def test_a_connection_ends_when_the_server_is_stopped(place: Place) -> None:
    own.ensure(place, database=True, broker=False)
    with postgres.connect(place) as connection:
        own.stop(place)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_settings_name_the_folder_of_the_sockets(place: Place) -> None:
    own.ensure(place, database=True, broker=False)
    assert Path(str(ask(place, "SHOW unix_socket_directories")).strip('"')) == place.sockets
