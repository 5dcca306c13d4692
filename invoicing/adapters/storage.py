"""The storage of files, which may be away: a disk that is not mounted, a bucket that does not answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError


class StorageAway(Exception):
    """Files cannot be read or stored now; the text is a sentence for people."""

    def __init__(self) -> None:
        super().__init__("The storage of files does not answer. Please try again in some minutes.")


@contextmanager
def answering() -> Iterator[None]:
    """Raise `StorageAway` for what disks and buckets raise; that a file is not there is `FileNotFoundError` as ever."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, BotoCoreError, ClientError) as error:
        raise StorageAway from error


def opened(open_file: Callable[[], Any]) -> Any:
    """A file to be served in pieces: what is in a bucket is fetched now, while it can still be said that it cannot be.

    Raises `StorageAway`, and `FileNotFoundError`.
    """
    with answering():
        file = open_file()
        file.seek(0)
    return file
