"""Whole rows of a file into a staging table, by COPY."""

from django.db import connection
from psycopg import errors as pg

from catalog.adapters.csv_stream import Block, StreamFault


def copy_block(statement: str, block: Block, column_count: int) -> int:
    """Copy the rows of one block; how many there are. Raises StreamFault that says in which line it is not right.

    A COPY for each block: what is wrong is found when it is read, not when all is, and the block is still there to say
    in which line.
    """
    with connection.cursor() as cursor:
        try:
            with cursor.copy(statement) as copy:
                copy.write(block.rows)
        except (pg.DataError, pg.ProgramLimitExceeded) as error:
            raise StreamFault(_copy_fault(error, block, column_count)) from error
        return int(cursor.rowcount)


def _copy_fault(error: pg.Error, block: Block, column_count: int) -> str:
    """What PostgreSQL's COPY found wrong with a block, with the line, in words."""
    fault = block.fault(column_count)
    if fault is not None:
        return fault
    message = error.diag.message_primary or str(error)
    if isinstance(error, pg.ProgramLimitExceeded):
        line = block.widest_row_line()
        return f"line {line}: the texts of its {column_count} columns are too long to be held side by side ({message})"
    return f"lines {block.first_line:,} to {block.first_line + block.line_count - 1:,}: {message}"
