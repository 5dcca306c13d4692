"""The prices of a card as a file that can be imported as a rate deck again."""

import tempfile
from datetime import date
from pathlib import Path
from typing import IO

from django.db import connection

EXPORT = (Path(__file__).parent / "sql" / "rate_export.sql").read_text()
HELD_IN_MEMORY_BYTES = 1 << 20


def rate_export(*, rate_card_id: int, on: date) -> IO[bytes]:
    """The rates of a card that hold on a day as CSV (UTF-8, a header, points in numbers), at its start.

    Beyond a megabyte it lies in a file without a name: whoever reads it slowly keeps no transaction waiting.
    """
    file: IO[bytes] = tempfile.SpooledTemporaryFile(HELD_IN_MEMORY_BYTES)  # noqa: SIM115  the reader closes it
    with connection.cursor() as cursor, cursor.copy(EXPORT, {"rate_card_id": rate_card_id, "on": on}) as copy:
        for block in copy:
            file.write(block)
    file.seek(0)
    return file
