"""Where this checkout keeps its own servers' data, their sockets and its secret key. Reading a path creates nothing."""

import hashlib
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATABASE_NAME = "tollbook"
POSTGRES_USER = "postgres"
# Only the name of the socket is made of it: the own PostgreSQL listens on no network port.
POSTGRES_PORT = 5432
# The path of a Unix socket ends at 107 bytes on Linux and 103 on macOS.
LONGEST_SOCKET_PATH = 103
PLAIN_PATH = re.compile(r"[A-Za-z0-9_./+~-]+")
# Not `tempfile.gettempdir()`: that follows TMPDIR, and every command has to find the same sockets.
SHORT_FOLDER = Path("/tmp")  # noqa: S108  the folder made in it is checked to be this user's alone


@dataclass(frozen=True, slots=True)
class Place:
    """The folders and files of one set of own servers, all under `local`."""

    local: Path

    @property
    def sockets(self) -> Path:
        """Where the sockets are: `run/`, or a folder with a short, plain name where that one's will not do.

        It will not do when it is too long for a socket, or has characters that mean something else where a socket is
        named: a comma in PostgreSQL's list of hosts, a percent or question mark in the broker's URL.
        """
        wanted = self.local / "run"
        longest = wanted / f".s.PGSQL.{POSTGRES_PORT}.lock"
        if len(os.fsencode(longest)) <= LONGEST_SOCKET_PATH and PLAIN_PATH.fullmatch(str(wanted)):
            return wanted
        digest = hashlib.sha256(os.fsencode(self.local)).hexdigest()[:12]
        return SHORT_FOLDER / f"tollbook-{digest}"

    @property
    def postgres_data(self) -> Path:
        """The data folder of PostgreSQL."""
        return self.local / "postgres"

    @property
    def postgres_log(self) -> Path:
        """What PostgreSQL says."""
        return self.local / "postgres.log"

    @property
    def valkey_folder(self) -> Path:
        """The working folder of Valkey, with its configuration."""
        return self.local / "valkey"

    @property
    def valkey_socket(self) -> Path:
        """The socket of Valkey."""
        return self.sockets / "valkey.sock"

    @property
    def valkey_log(self) -> Path:
        """What Valkey says."""
        return self.local / "valkey.log"

    @property
    def drop_folder(self) -> Path:
        """The folder with the drop folders of source systems."""
        return self.local / "drop"

    @property
    def start_lock(self) -> Path:
        """Held by the process that starts or stops the servers."""
        return self.local / "services.lock"

    @property
    def run_lock(self) -> Path:
        """Held, with its process id in it, by `manage.py run` as long as it lives."""
        return self.local / "run.lock"

    def pid_file(self, process: str) -> Path:
        """Where a process that `manage.py run` started writes its id."""
        return self.local / f"{process}.pid"

    def make(self) -> None:
        """Make the folder where it is missing."""
        if not self.local.exists():
            self.local.mkdir(parents=True, exist_ok=True)
            adopt(self.local)


def adopt(path: Path) -> None:
    """Let what root made in the checkout of an ordinary user belong to that user, as all beside it does."""
    folder = path.parent.stat()
    if os.geteuid() == 0 and folder.st_uid != path.stat().st_uid:
        os.chown(path, folder.st_uid, folder.st_gid)


def here() -> Place:
    """The place of this checkout: its `.local/`."""
    return Place(ROOT / ".local")


def secret_key() -> str:
    """The secret key of this checkout, made on first use; whole for every reader, however many start at once."""
    file = here().local / "secret-key"
    if file.exists():
        return file.read_text()
    here().make()
    draft = file.with_name(f"secret-key.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as handle:
        handle.write(secrets.token_urlsafe(50))
    try:
        os.link(draft, file)
        adopt(file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return file.read_text()
