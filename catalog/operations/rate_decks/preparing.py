"""A file becomes a rate deck: its lines read, checked and compared with the card, and nothing of them in force."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import BinaryIO

from django.db import transaction
from django.db.backends.utils import CursorWrapper

from catalog.adapters.csv_stream import StreamFault
from catalog.choices import DeckMode
from catalog.engine.deck_layout import DeckLayoutFault, column_mapping, missing, positions
from catalog.models import RateCard, RateDeck, RateDeckLine
from catalog.operations.rate_decks.comparing import compare, deck_tables, locked_deck, store
from catalog.operations.rate_decks.errors import DeckRefused
from catalog.operations.rate_decks.staging import open_table
from catalog.operations.rate_decks.statements import parse_sql, unread_sql

RAW_ROWS = "(SELECT line_number, raw_text, {columns} FROM (SELECT *, raw_text::jsonb AS j FROM deck_staging) s) r"


def prepare_deck(
    *,
    rate_card_id: int,
    file: BinaryIO,
    file_name: str,
    starts_on: date,
    mode: str = DeckMode.CHANGES,
    mapping: Mapping[str, str] | None = None,
    default_product_id: int | None = None,
    decimal_sign: str = "",
    is_kept_unread: bool = False,
    user_id: int | None,
    at: datetime,
) -> RateDeck:
    """Read a price list, CSV or XLSX, and show what it would do to a card from `starts_on` on.

    `mapping` says for fields of a rate which column they come from; the others are found by their own names.
    `decimal_sign` is found out where it is not given: a comma only where semicolons part the columns. A file without a
    column that every price needs is refused, or, `is_kept_unread`, kept so that `map_deck` can say which column it is.
    `at` is when it came in. Raises `DeckRefused` where the file as a whole is at fault; a line that is, is kept and
    refused.
    """
    name = file_name.encode(errors="replace").decode().replace("\0", "?")[:300] or "deck"
    try:
        table = open_table(file, file_name=file_name, decimal_sign=decimal_sign)
        chosen = column_mapping(table.columns, mapping or {})
        absent = missing(chosen, table.columns, has_default_product=default_product_id is not None)
        _check_columns("" if is_kept_unread else absent)
        with transaction.atomic():
            deck = RateDeck.objects.create(
                rate_card=RateCard.objects.get(id=rate_card_id),
                name=name,
                mode=mode,
                starts_on=starts_on,
                columns=table.columns,
                column_mapping=chosen,
                default_product_id=default_product_id,
                decimal_sign=decimal_sign or ("" if table.delimiter == ";" else "."),
                created_by_id=user_id,
                created_at=at,
            )
            with deck_tables() as cursor:
                table.stage(cursor)
                _read(cursor, deck, absent)
    except (StreamFault, DeckLayoutFault) as fault:
        raise DeckRefused(f"{name}: {fault}.") from fault
    return deck


@transaction.atomic
def map_deck(*, deck_id: int, mapping: Mapping[str, str], default_product_id: int | None = None) -> RateDeck:
    """Read the kept lines of a deck anew, by another mapping. Raises `DeckRefused`, and `DeckConflict` by its state."""
    deck = locked_deck(deck_id)
    if not deck.columns:
        raise DeckRefused("This deck was made of the card's own prices: it has no file to read anew.")
    try:
        deck.column_mapping = column_mapping(deck.columns, mapping)
        has_default = default_product_id is not None
        _check_columns(missing(deck.column_mapping, deck.columns, has_default_product=has_default))
    except DeckLayoutFault as fault:
        raise DeckRefused(f"{deck.name}: {fault}.") from fault
    deck.default_product_id = default_product_id
    deck.save(update_fields=["column_mapping", "default_product"])
    lines = RateDeckLine.objects.filter(deck=deck)
    with deck_tables() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE deck_staging AS SELECT line_number, raw_text FROM rate_deck_line"
            " WHERE deck_id = %s AND line_number > 0",
            [deck_id],
        )
        lines._raw_delete(lines.db)  # noqa: SLF001  nothing refers to lines
        _read(cursor, deck, "")
    return deck


def _check_columns(absent: str) -> None:
    if absent:
        raise DeckLayoutFault(absent)


def _read(cursor: CursorWrapper, deck: RateDeck, absent: str) -> None:
    """Turn the staged texts into the lines of the deck; without a mapping of what is `absent` all are refused."""
    if absent:
        cursor.execute(unread_sql(), {"deck_id": deck.pk})
        return
    found = positions(deck.columns, deck.column_mapping)
    columns = ", ".join(f"j ->> {position} AS c{position}" for position in sorted(set(found.values())))
    sign = deck.decimal_sign or _decimal_sign(cursor, found["unit_price"])
    sql = parse_sql(found, decimal_sign=sign, rows=RAW_ROWS.format(columns=columns))
    cursor.execute(sql, {"default_product_id": deck.default_product_id})
    compare(cursor, deck)
    store(cursor, deck)


def _decimal_sign(cursor: CursorWrapper, position: int) -> str:
    """A comma where the prices of the file have commas."""
    commas = "SELECT EXISTS (SELECT FROM deck_staging WHERE position(',' IN raw_text::jsonb ->> %s) > 0)"
    cursor.execute(commas, [position])
    (has_commas,) = cursor.fetchone()
    return "," if has_commas else "."
