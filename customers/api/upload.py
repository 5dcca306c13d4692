"""The file that a request brings, as a stream: never held whole, and never taken for whole when cut."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, cast

from django.http import UnreadablePostError
from rest_framework.exceptions import UnsupportedMediaType, ValidationError
from rest_framework.request import Request

from catalog.choices import FileFormat
from customers.api.views import is_chunked

CSV_TYPES = ("text/csv", "application/csv")
NDJSON_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
XLSX_TYPES = ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",)
GZIP_TYPES = ("application/gzip", "application/x-gzip")
MULTIPART = "multipart/form-data"
# What a media type says of the content. Gzip, by its type, its encoding or its first bytes, says nothing of it.
FORMATS: dict[str, FileFormat | None] = {
    **dict.fromkeys(CSV_TYPES, FileFormat.CSV),
    **dict.fromkeys(NDJSON_TYPES, FileFormat.NDJSON),
    **dict.fromkeys(XLSX_TYPES, FileFormat.XLSX),
    **dict.fromkeys(GZIP_TYPES),
}
USAGE_FORMATS = "text/csv, application/x-ndjson or an XLSX workbook"
DRAIN_BYTES = 1 << 18
DEFAULT_FILE_NAMES = {
    FileFormat.CSV: "upload.csv",
    FileFormat.NDJSON: "upload.ndjson",
    FileFormat.XLSX: "upload.xlsx",
    None: "upload",
}


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


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent, by its name, and its format where that was said."""

    file_name: str
    stream: WholeStream
    file_format: FileFormat | None

    @property
    def file(self) -> BinaryIO:
        """The file to be read."""
        return cast("BinaryIO", self.stream)


def uploaded(
    request: Request, *, file_name: str, formats: Mapping[str, FileFormat | None] = FORMATS, named: str = USAGE_FORMATS
) -> Upload:
    """The file of the request, of one of these media types, which a refusal names in words.

    Raises `UnsupportedMediaType`, and `ValidationError` for a form without a file.
    """
    media_type = (request.content_type or "").partition(";")[0].strip().lower()
    if media_type == MULTIPART:
        return _from_form(request, file_name)
    if media_type not in formats:
        raise UnsupportedMediaType(
            media_type,
            f"A body of {media_type or 'no type'} is not taken. Send {named}, gzipped or not, or {MULTIPART} "
            "with a file.",
        )
    source, length = _body(request)
    file_format = formats[media_type]
    return Upload(file_name or DEFAULT_FILE_NAMES[file_format], WholeStream(source, length), file_format)


def _from_form(request: Request, file_name: str) -> Upload:
    files = [file for _, several in request.FILES.lists() for file in several]
    if len(files) != 1:
        raise ValidationError({"file": [f"The form has {len(files)} files: send one."]})
    unknown = {name for form in (request.POST, request.FILES) for name in form} - {"file"}
    if unknown or "file" not in request.FILES:
        # What nobody reads is a typing error that would be lost silently.
        raise ValidationError({name[:200]: ["A form has one member, the file."] for name in sorted(unknown)})
    name = file_name or files[0].name or DEFAULT_FILE_NAMES[None]
    return Upload(name, WholeStream(files[0], files[0].size), None)


def _body(request: Request) -> tuple[Readable, int | None]:
    """The body and its length. A chunked one has no length: the server reads it to its last chunk, or fails."""
    environ = request.META
    if is_chunked(environ):
        return environ["wsgi.input"], None
    # The framework keeps Django's request, which is what can be read, to itself.
    return cast("Readable", request._request), int(environ.get("CONTENT_LENGTH") or 0)  # noqa: SLF001
