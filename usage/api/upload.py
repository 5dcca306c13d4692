"""The file that a request brings, as a stream: never held whole, its gzip taken off, never taken for whole when cut."""

import gzip
import hashlib
import io
import zlib
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, cast

from django.http import UnreadablePostError
from rest_framework.exceptions import UnsupportedMediaType, ValidationError
from rest_framework.request import Request

from usage.adapters.csv_stream import StreamFault

CSV_TYPES = ("text/csv", "application/csv")
GZIP_TYPES = ("application/gzip", "application/x-gzip")
MULTIPART = "multipart/form-data"
GZIP_MAGIC = b"\x1f\x8b"
DRAIN_BYTES = 1 << 18
DEFAULT_FILE_NAME = "upload.csv"


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class WholeStream(io.RawIOBase):
    """Reads a request's body and hashes it as it comes.

    A body that ends before the length that its sender announced is not a shorter file: raises `UnreadablePostError`.
    """

    def __init__(self, source: Readable, length: int | None) -> None:
        super().__init__()
        self._source = source
        self._length = length
        self._digest = hashlib.sha256()
        self._byte_count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._source.read(len(buffer))
        if not block and self._length is not None and self._byte_count < self._length:
            raise UnreadablePostError(f"The body ended after {self._byte_count} of {self._length} bytes.")
        self._digest.update(block)
        self._byte_count += len(block)
        buffer[: len(block)] = block
        return len(block)

    def sha256_of_all(self) -> str:
        """SHA-256 of the body in hexadecimal; reads what was not read yet."""
        while self.read(DRAIN_BYTES):
            pass
        return self._digest.hexdigest()


class UnzippedStream(io.RawIOBase):
    """What is in a gzip stream. Broken or cut data is a fault of the file, as `StreamFault`."""

    def __init__(self, zipped: BinaryIO) -> None:
        super().__init__()
        self._file = gzip.GzipFile(fileobj=zipped, mode="rb")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return self._file.readinto(buffer)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise StreamFault(f"its gzip data is broken ({error})") from error


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent, by its name, and how to read it."""

    file_name: str
    stream: WholeStream

    def file(self) -> BinaryIO:
        """The CSV itself. Gzip is known by its first two bytes, whatever the headers say."""
        buffered = io.BufferedReader(self.stream, buffer_size=DRAIN_BYTES)
        file = cast("BinaryIO", buffered)
        if buffered.peek(2)[:2] != GZIP_MAGIC:
            return file
        return cast("BinaryIO", io.BufferedReader(UnzippedStream(file), buffer_size=DRAIN_BYTES))


def uploaded(request: Request, *, file_name: str) -> Upload:
    """The file of the request. Raises `UnsupportedMediaType`, and `ValidationError` for a form without a file."""
    media_type = (request.content_type or "").partition(";")[0].strip().lower()
    if media_type == MULTIPART:
        return _from_form(request, file_name)
    if media_type not in (*CSV_TYPES, *GZIP_TYPES):
        raise UnsupportedMediaType(
            media_type,
            f"A body of {media_type or 'no type'} is not taken. Send text/csv, gzipped or not, application/gzip, "
            f"or {MULTIPART} with a file.",
        )
    source, length = _body(request)
    return Upload(file_name or DEFAULT_FILE_NAME, WholeStream(source, length))


def _from_form(request: Request, file_name: str) -> Upload:
    files = list(request.FILES.values())
    if len(files) != 1:
        raise ValidationError({"file": [f"The form has {len(files)} files: send one."]})
    return Upload(file_name or files[0].name or DEFAULT_FILE_NAME, WholeStream(files[0], files[0].size))


def _body(request: Request) -> tuple[Readable, int | None]:
    """The body and its length. A chunked one has no length: the server reads it to its last chunk, or fails."""
    environ = request.META
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower() and environ.get("wsgi.input_terminated"):
        return environ["wsgi.input"], None
    # The framework keeps Django's request, which is what can be read, to itself.
    return cast("Readable", request._request), int(environ.get("CONTENT_LENGTH") or 0)  # noqa: SLF001
