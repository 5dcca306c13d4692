"""Whether a ZIP archive is an Excel workbook that can be unpacked safely: by unpacking it, not by what it says."""

import struct
import zipfile
import zlib
from typing import BinaryIO

from catalog.adapters.csv_stream import StreamFault

MOST_ENTRIES = 10_000
MOST_DIRECTORY_BYTES = 2 << 20
MOST_UNPACKED_BYTES = 1 << 30
BLOCK_BYTES = 1 << 18
END_OF_DIRECTORY = b"PK\x05\x06"
# The end of the directory, with the longest comment that may follow it.
LONGEST_END = 22 + 65_535
UNKNOWN_SIZE = 0xFFFF_FFFF
LOCAL_HEADER = struct.Struct("<4s22xHH")
LOCAL_MAGIC = b"PK\x03\x04"
IS_ENCRYPTED = 1
WITHOUT_HEADER = -15
BROKEN = "its ZIP data is broken"
MADE_TO_HARM = "It is made to fill a disk, or no ordinary workbook. Save what is in it as CSV"


def check_workbook(file: BinaryIO) -> None:
    """Raise StreamFault unless `file` is the ZIP archive of a workbook (.xlsx) that unpacks to what it says, and to at
    most MOST_UNPACKED_BYTES. Nothing of it is written anywhere, so the names in it lead nowhere.
    """
    _check_size_of_directory(file)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        ValueError,
        OverflowError,
        OSError,
        EOFError,
        struct.error,
    ) as error:
        raise StreamFault(f"{BROKEN} ({error})") from error
    _check_names([entry.filename for entry in entries])
    unpacked = 0
    for entry in entries:
        unpacked += _unpacked_bytes(file, entry, MOST_UNPACKED_BYTES - unpacked)


def _check_size_of_directory(file: BinaryIO) -> None:
    """Before the directory is read whole: a hundred megabytes hold millions of entries."""
    start = max(0, file.seek(0, 2) - LONGEST_END)
    file.seek(start)
    end = file.read()
    place = end.rfind(END_OF_DIRECTORY)
    if place < 0 or len(end) < place + 16:
        raise StreamFault(f"{BROKEN} (it ends before it is complete)")
    (directory_bytes,) = struct.unpack_from("<I", end, place + 12)
    if directory_bytes != UNKNOWN_SIZE and directory_bytes > MOST_DIRECTORY_BYTES:
        raise StreamFault(f"there are more than {MOST_ENTRIES:,} files in the workbook. {MADE_TO_HARM}")


def _check_names(names: list[str]) -> None:
    if len(names) > MOST_ENTRIES:
        raise StreamFault(f"there are {len(names):,} files in the workbook. {MADE_TO_HARM}")
    plain = {name.replace("\\", "/").lower() for name in names}
    if len(plain) < len(names):
        raise StreamFault(f"{BROKEN} (two files in it have the same name)")
    if "xl/workbook.xml" in plain:
        return
    if "xl/workbook.bin" in plain:
        raise StreamFault("it is a binary workbook (.xlsb). Save it as an Excel workbook (.xlsx) or as CSV")
    if {"mimetype", "content.xml"} <= plain:
        raise StreamFault("it is an OpenDocument file. Save it as an Excel workbook (.xlsx) or as CSV")
    raise StreamFault("it is a ZIP archive, but no Excel workbook. Unpack it, and send the files in it")


def _unpacked_bytes(file: BinaryIO, entry: zipfile.ZipInfo, most: int) -> int:
    """How much an entry really unpacks to. Raises StreamFault past `most`, and where it is other than it says."""
    if entry.flag_bits & IS_ENCRYPTED:
        raise StreamFault("it is protected by a password. Save it without one")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise StreamFault("it is compressed in a way that Excel does not use. Save it with Excel, or as CSV")
    file.seek(entry.header_offset)
    header = file.read(LOCAL_HEADER.size)
    if len(header) < LOCAL_HEADER.size or not header.startswith(LOCAL_MAGIC):
        raise StreamFault(f"{BROKEN} (a file in it is not where the directory says)")
    _, name_length, extra_length = LOCAL_HEADER.unpack(header)
    file.seek(name_length + extra_length, 1)
    try:
        count = (_stored if entry.compress_type == zipfile.ZIP_STORED else _inflated)(file, entry.compress_size, most)
    except zlib.error as error:
        raise StreamFault(f"{BROKEN} ({error})") from error
    if count != entry.file_size:
        raise StreamFault(f"{BROKEN} (a file in it is of another size than the directory says)")
    return count


def _stored(file: BinaryIO, size: int, most: int) -> int:
    _check_sum(size, most)
    start = file.tell()
    return min(size, file.seek(0, 2) - start)


def _inflated(file: BinaryIO, packed_size: int, most: int) -> int:
    """How many bytes come out of so many packed ones, block by block."""
    count, left, inflater = 0, packed_size, zlib.decompressobj(WITHOUT_HEADER)
    while not inflater.eof:
        packed = inflater.unconsumed_tail
        if not packed:
            packed = file.read(min(BLOCK_BYTES, left))
            left -= len(packed)
        if not packed:
            raise StreamFault(f"{BROKEN} (a file in it ends before it is complete)")
        count += len(inflater.decompress(packed, BLOCK_BYTES))
        _check_sum(count, most)
    return count


def _check_sum(count: int, most: int) -> None:
    if count > most:
        raise StreamFault(f"the workbook unpacks to more than {MOST_UNPACKED_BYTES:,} bytes. {MADE_TO_HARM}")
