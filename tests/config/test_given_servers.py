"""Servers given by `DATABASE_URL` and `REDIS_URL`: used as they are, or one sentence that says why they will not do."""

import contextlib
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from config import env
from config.checkout import ROOT
from config.embedded import ServiceError, ensure_services, given, own

UNUSED_PORT = 1


@contextlib.contextmanager
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def postgres_message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def greet_as(server: socket.socket, version: str) -> None:
    """Answer one client as a PostgreSQL of that version does, up to where queries would begin."""
    connection, _ = server.accept()
    with connection:
        while True:
            (length,) = struct.unpack("!I", connection.recv(4))
            request = connection.recv(length - 4)
            if struct.unpack("!I", request[:4])[0] == 196608:  # protocol 3.0: no request for encryption
                break
            connection.sendall(b"N")
        parameters = {"server_version": version, "client_encoding": "UTF8", "standard_conforming_strings": "on"}
        connection.sendall(
            postgres_message(b"R", struct.pack("!I", 0))
            + b"".join(postgres_message(b"S", f"{name}\0{value}\0".encode()) for name, value in parameters.items())
            + postgres_message(b"K", struct.pack("!II", 1, 1))
            + postgres_message(b"Z", b"I")
        )
        while connection.recv(1024):
            pass


def test_a_postgres_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    with listener() as server:
        port = server.getsockname()[1]
        thread = threading.Thread(target=greet_as, args=(server, "15.8"), daemon=True)
        thread.start()
        monkeypatch.setenv("DATABASE_URL", f"postgresql://user@127.0.0.1:{port}/bills?sslmode=disable")
        with pytest.raises(ServiceError) as caught:
            given.check_database(env.database())
        thread.join(timeout=5)
    assert str(caught.value) == (
        f"The PostgreSQL of DATABASE_URL (127.0.0.1:{port}) is version 15.8: Tollbook needs 16 or later."
    )


def test_versions() -> None:
    given.check_version(160000, "host")
    given.check_version(180006, "host")
    with pytest.raises(ServiceError, match=r"is version 9\.624"):
        given.check_version(90624, "host")


def test_a_postgres_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://user:secret@127.0.0.1:{UNUSED_PORT}/bills")
    with pytest.raises(ServiceError, match=r"^The PostgreSQL of DATABASE_URL \(127\.0\.0\.1:1\) cannot") as caught:
        given.check_database(env.database())
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_servers_that_never_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "CONNECT_SECONDS", 2)
    with listener() as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("DATABASE_URL", f"postgresql://127.0.0.1:{port}/bills")
        with pytest.raises(ServiceError, match="timeout"):
            given.check_database(env.database())
        with pytest.raises(ServiceError, match=r"^The Redis or Valkey of REDIS_URL cannot be used: Timeout"):
            given.check_broker(f"redis://127.0.0.1:{port}/0")


def test_a_broker_that_is_not_there_is_missed_only_where_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{UNUSED_PORT}/0")
    ensure_services(broker=False)
    with pytest.raises(ServiceError, match=r"^The Redis or Valkey of REDIS_URL cannot be used: .*refused"):
        ensure_services()


@pytest.mark.parametrize(("database", "broker"), [(True, False), (False, True), (False, False)])
def test_only_what_is_not_given_is_started(monkeypatch: pytest.MonkeyPatch, *, database: bool, broker: bool) -> None:
    asked: dict[str, bool] = {}
    monkeypatch.setattr(own, "ensure", lambda _, **names: asked.update(names))
    monkeypatch.setattr(given, "check_database", lambda _: None)
    monkeypatch.setattr(given, "check_broker", lambda _: None)
    for name, is_own in (("DATABASE_URL", database), ("REDIS_URL", broker)):
        if is_own:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, "postgresql://host/bills" if name == "DATABASE_URL" else "redis://host/0")
    ensure_services()
    assert {name: asked[name] for name in ("database", "broker")} == {"database": database, "broker": broker}


@pytest.mark.parametrize(
    ("given_url", "celery_url"),
    [
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("valkey://host/1", "redis://host/1"),
        ("valkeys://host/1", "rediss://host/1"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock"),
    ],
)
def test_addresses_of_brokers(monkeypatch: pytest.MonkeyPatch, given_url: str, celery_url: str) -> None:
    monkeypatch.setenv("REDIS_URL", given_url)
    assert env.redis_url() == celery_url


@pytest.mark.parametrize("url", ["amqp://host", "redis://", "host:6379"])
def test_addresses_that_are_none_of_a_broker(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(env.BadVariableError, match=r"^REDIS_URL is no address"):
        env.redis_url()


@pytest.mark.parametrize("url", ["sqlite:///bills", "mysql://host/bills", "host/bills", "postgresql://host:port/bills"])
def test_addresses_that_are_none_of_a_postgres(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(env.BadVariableError, match=r"^DATABASE_URL "):
        env.database()


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings.dev"} | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_command_without_its_database_ends_with_one_sentence() -> None:
    ended = manage("migrate", DATABASE_URL=f"postgresql://127.0.0.1:{UNUSED_PORT}/bills")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("The PostgreSQL of DATABASE_URL (127.0.0.1:1) cannot be used: ")
    assert ended.stderr.count("\n") == 1


def test_a_command_that_needs_no_database_does_not_ask_for_one() -> None:
    ended = manage("version", DATABASE_URL=f"postgresql://127.0.0.1:{UNUSED_PORT}/bills")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_settings_that_cannot_be_used_end_with_one_sentence() -> None:
    ended = manage("check", DATABASE_URL="sqlite:///bills")
    assert (ended.returncode, ended.stderr) == (
        1,
        "DATABASE_URL must begin with postgresql://, for PostgreSQL is the only database.\n",
    )


def test_production_settings_pass_django_s_deployment_check() -> None:
    ended = manage(
        "check",
        "--deploy",
        "--fail-level",
        "WARNING",
        DJANGO_SETTINGS_MODULE="config.settings.prod",
        SECRET_KEY="".join(chr(97 + number % 26) for number in range(60)),
        ALLOWED_HOSTS="bills.example.org",
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_production_settings_need_a_key() -> None:
    ended = manage("check", DJANGO_SETTINGS_MODULE="config.settings.prod", SECRET_KEY="")
    assert (ended.returncode, ended.stderr) == (1, "SECRET_KEY has to be set.\n")


def test_the_address_that_redis_own_client_takes() -> None:
    assert env.client_url("redis+socket:///run/valkey.sock?virtual_host=7") == "unix:///run/valkey.sock?db=7"
    assert env.client_url("redis://host:6379/2") == "redis://host:6379/2"
