"""As which user the own PostgreSQL runs: it refuses to run as root.

For an ordinary user, it is that user; for root in the checkout of an ordinary user, the checkout's owner. For root in a
checkout of its own, it is root in a user namespace in which it is called nobody: no file changes hands, and no folder
above has to be open to others. Where namespaces are not allowed (most containers), it is the user nobody, whom the data
is then given to.
"""

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.checkout import SHORT_FOLDER, Place
from config.embedded.errors import ServiceError

PROBE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Account:
    """Whose PostgreSQL is: the command that it is started through, and the user and group to become, if any."""

    prefix: tuple[str, ...] = ()
    user: int | None = None
    group: int | None = None

    @property
    def owner(self) -> int:
        """The user whom the data belongs to, as seen from outside of any namespace."""
        return os.geteuid() if self.user is None else self.user

    def give(self, path: Path) -> None:
        """Let the path belong to this account; only root can, and only for root it may have to change."""
        if os.geteuid() == 0:
            os.chown(path, self.owner, -1 if self.group is None else self.group, follow_symlinks=False)

    def give_all(self, folder: Path) -> None:
        """Let a folder and all that is in it belong to this account, where it does not."""
        if not folder.exists() or folder.stat().st_uid == self.owner:
            return
        for path, _, names in os.walk(folder):
            for name in names:
                self.give(Path(path, name))
            self.give(Path(path))

    def can_use(self, *, folder: Path, program: Path) -> bool:
        """Whether this account can write to the folder and run the program."""
        script = 'test -w "$1" && test -x "$1" && test -x "$2"'
        command = [*self.prefix, "/bin/sh", "-c", script, "sh", str(folder), str(program)]
        asked = subprocess.run(  # noqa: S603  a fixed command
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_SECONDS,
            check=False,
            **self.become(),
        )
        return asked.returncode == 0

    def become(self) -> dict[str, Any]:
        """Arguments of `subprocess` that change to this account's user."""
        if self.user is None or self.group is None:
            return {}
        return {"user": self.user, "group": self.group, "extra_groups": []}


def owner_account(place: Place) -> Account:
    """The account of the checkout's owner, which is this process's own unless root works in another's checkout."""
    found = place.local.stat()
    if os.geteuid() == 0 and found.st_uid != 0:
        return Account(user=found.st_uid, group=found.st_gid)
    return Account()


def postgres_account(place: Place) -> Account:
    """The account to run PostgreSQL with.

    Raises `ServiceError` where the data belongs to a user that this process cannot become.
    """
    account = owner_account(place)
    if os.geteuid() == 0 and account.user is None:
        nobody = pwd.getpwnam("nobody")
        if prefix := namespace_prefix(nobody.pw_uid):
            return Account(prefix=prefix)
        return Account(user=nobody.pw_uid, group=nobody.pw_gid)
    data = place.postgres_data
    if os.geteuid() != 0 and data.exists() and data.stat().st_uid != account.owner:
        owner = name_of(data.stat().st_uid)
        raise ServiceError(f"{data} belongs to {owner}: run this as that user, or set DATABASE_URL.")
    return account


def namespace_prefix(user: int) -> tuple[str, ...]:
    """The command that runs another one as `user` in a user namespace, empty where the system does not allow it."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return ()
    prefix = (unshare, "--user", f"--map-user={user}", f"--map-group={user}")
    probe = subprocess.run(  # noqa: S603  a fixed command
        [*prefix, "true"], stdin=subprocess.DEVNULL, capture_output=True, timeout=PROBE_SECONDS, check=False
    )
    return prefix if probe.returncode == 0 else ()


def make_socket_folder(place: Place, account: Account) -> None:
    """Make the folder of the sockets, open to the account alone; raises `ServiceError` where it is a stranger's."""
    sockets = place.sockets
    sockets.mkdir(mode=0o700, exist_ok=True)
    found = sockets.lstat()
    is_mine = found.st_uid in {account.owner, os.geteuid()}
    # In a folder that all may write to, another user could have made it, and put something into it.
    is_safe = is_mine or (os.geteuid() == 0 and sockets.parent != SHORT_FOLDER)
    if not stat.S_ISDIR(found.st_mode) or not is_safe:
        owner = name_of(found.st_uid)
        raise ServiceError(f"{sockets} belongs to {owner}: remove it, or set DATABASE_URL and REDIS_URL.")
    if found.st_uid != account.owner:
        account.give(sockets)
    sockets.chmod(0o700)


def name_of(user: int | None) -> str:
    """The login name of a user id, or the id where there is none."""
    try:
        return pwd.getpwuid(user or 0).pw_name
    except KeyError:
        return f"user {user}"
