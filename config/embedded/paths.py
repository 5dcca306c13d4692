"""Where the own servers of this checkout keep their data and their sockets."""

import hashlib
import os
import secrets
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
# The path of a Unix socket ends at 107 bytes on Linux and 103 on macOS.
LONGEST_SOCKET_PATH = 103


def local_dir() -> Path:
    """`.local/` of this checkout."""
    return CHECKOUT / ".local"


def socket_dir() -> Path:
    """Where the sockets are: `.local/run`, or a folder under the temporary one where that path is too long."""
    wanted = local_dir() / "run"
    if len(os.fsencode(wanted / ".s.PGSQL.5432.lock")) <= LONGEST_SOCKET_PATH:
        return wanted
    digest = hashlib.sha256(os.fsencode(CHECKOUT)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"tollbook-{os.getuid()}-{digest}"


def valkey_socket() -> Path:
    """The socket of the own Valkey."""
    return socket_dir() / "valkey.sock"


def secret_key() -> str:
    """The secret key of this checkout, made on first use."""
    file = local_dir() / "secret-key"
    try:
        return file.read_text()
    except FileNotFoundError:
        file.parent.mkdir(parents=True, exist_ok=True)
        made = secrets.token_urlsafe(50)
        try:
            with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as handle:
                handle.write(made)
        except FileExistsError:
            return file.read_text()
        return made
