"""`manage.py run`: one at a time, its port, its login, and that nothing of it is left."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from config import running
from config.checkout import ROOT, Place
from config.embedded import ServiceError, processes
from config.first_login import create_first_login

LEFT_OUT = shutil.ignore_patterns(".git", ".local", ".venv", ".*_cache", ".hypothesis", "__pycache__", "tests", "docs")


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_that_was_asked_for_is_refused(taken_port: int) -> None:
    with pytest.raises(ServiceError) as caught:
        running.choose_port("127.0.0.1", taken_port)
    assert str(caught.value) == (
        f"Port {taken_port} of 127.0.0.1 cannot be used (address already in use): choose another PORT, or none."
    )


def test_the_next_free_port_is_taken_where_none_was_asked_for(taken_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "FIRST_PORT", taken_port)
    assert taken_port < running.choose_port("127.0.0.1", None) < taken_port + running.PORTS_TRIED


def test_no_free_port_at_all_is_said(taken_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "FIRST_PORT", taken_port)
    monkeypatch.setattr(running, "PORTS_TRIED", 1)
    with pytest.raises(ServiceError, match="choose one with PORT"):
        running.choose_port("127.0.0.1", None)


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_what_is_no_port_is_refused(port: str) -> None:
    with pytest.raises(CommandError, match="is no port: it must be a number from 1 to 65535"):
        call_command("run", f"--port={port}")


def test_there_is_one_run_at_a_time(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with running.claim(place):
        message = rf"^Tollbook already runs here \(process {os.getpid()}\)"
        with pytest.raises(ServiceError, match=message), running.claim(place):
            pass
    with running.claim(place):
        pass


def test_what_a_killed_run_left_behind_is_ended_and_strangers_are_not(tmp_path: Path) -> None:
    place = Place(tmp_path)
    left = subprocess.Popen(["sleep", "60"], cwd=ROOT, start_new_session=True)
    stranger = subprocess.Popen(["sleep", "60"], cwd="/", start_new_session=True)
    place.pid_file("worker").write_text(str(left.pid))
    place.pid_file("web").write_text(str(stranger.pid))
    place.pid_file("beat").write_text("not a number")
    try:
        assert running.stop(place)
        assert left.wait(timeout=5) == -signal.SIGTERM
        assert stranger.poll() is None
        assert not running.stop(place)
        assert list(tmp_path.glob("*.pid")) == []
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.django_db
def test_the_first_login_is_made_once() -> None:
    password = create_first_login()
    user = authenticate(username="admin", password=password)
    assert user is not None
    assert user.is_superuser
    assert create_first_login() is None


def manage(checkout: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(checkout / "manage.py"), *arguments]


def wait_for(pattern: str, log: Path) -> str:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if found := re.search(pattern, log.read_text()):
            return found[1]
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def test_a_checkout_runs_and_leaves_nothing_behind(tmp_path: Path) -> None:
    checkout, log = tmp_path / "checkout", tmp_path / "log"
    shutil.copytree(ROOT, checkout, ignore=LEFT_OUT)
    variables = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    variables |= {"DJANGO_SETTINGS_MODULE": "config.settings.dev", "PYTHONDONTWRITEBYTECODE": ""}
    with log.open("w") as output:
        run = subprocess.Popen(manage(checkout, "run"), cwd=checkout, env=variables, stdout=output, stderr=output)
    try:
        address = wait_for(r"Ready: (\S+)", log)
        with urllib.request.urlopen(address, timeout=10) as page:
            assert b'name="username"' in page.read()
        assert wait_for(r"password +(\S+)", log)
        second = subprocess.run(manage(checkout, "run"), cwd=checkout, env=variables, capture_output=True, check=False)
        assert second.returncode == 1
        assert f"already runs here (process {run.pid})" in second.stderr.decode()
        started = [processes.read_pid(file) for file in (checkout / ".local").glob("*.pid")]
        assert len(started) == 3
    finally:
        stopped = subprocess.run(
            manage(checkout, "services", "stop"),
            cwd=checkout,
            env=variables,
            capture_output=True,
            text=True,
            check=True,
        )
        run.wait(timeout=30)
    assert stopped.stdout == "Stopped web, worker, beat, PostgreSQL, Valkey.\n"
    assert run.returncode == 0
    assert not any(pid and processes.is_alive(pid) for pid in started)
    assert list((checkout / ".local").glob("*.pid")) == []
