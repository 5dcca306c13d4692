"""How the columns of a rate deck become the fields of a rate: pure, no SQL, no Django."""

import re
from collections.abc import Mapping, Sequence

# In the order in which decks are exported.
FIELDS = (
    *("product", "destination_prefix", "destination_name", "region", "time_band"),
    *("pricing_model", "unit_price", "unit_size", "connection_fee", "minimum_quantity", "first_increment", "increment"),
    *("minimum_charge", "maximum_charge", "included_quantity", "counted_per", "tiers"),
    *("rounding_digits", "rounding_mode", "end_date"),
)
# Both increments in one column: 60/60, 30/6.
INCREMENTS = "increments"
MAPPED = (*FIELDS, INCREMENTS)
ALIASES = {"prefix": "destination_prefix"}
LONGEST_SHOWN = 500


class DeckLayoutFault(Exception):
    """The columns of a file, or the mapping of them, do not give what a rate needs; the text is a sentence."""


def column_mapping(header: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Which column each field comes from: as `mapping` says, else the one that has the field's own name.

    Small and capital letters, spaces, hyphens and underscores of names do not matter: "Unit Price", unitPrice. An empty
    column in `mapping` takes a field out. Whether what a rate needs is there, `missing` says. Raises DeckLayoutFault.
    """
    _check(mapping)
    names = [name.strip() for name in header]
    own: dict[str, str] = {}
    for field in (*MAPPED, *ALIASES):
        found = [name for name in names if _plain(name) == _plain(field)]
        target = ALIASES.get(field, field)
        if len(found) > 1 and target not in mapping:
            raise DeckLayoutFault(
                f"line 1: the columns “{found[0]}” and “{found[1]}” are both {target}. Say which one it is"
            )
        if found and target not in own:
            own[target] = found[0]
    for field, name in mapping.items():
        if name and names.count(name.strip()) != 1:
            times = "twice" if name.strip() in names else "not"
            raise DeckLayoutFault(
                f"line 1: the column “{name[:LONGEST_SHOWN]}”, which {field} is to come from, stands {times} in the "
                f"header. The header has: {', '.join(names)[:LONGEST_SHOWN]}"
            )
    chosen = own | {field: name.strip() for field, name in mapping.items()}
    kept = {field: chosen[field] for field in MAPPED if chosen.get(field)}
    if INCREMENTS in kept and {"first_increment", "increment"} & set(kept):
        raise DeckLayoutFault(
            "increments and first_increment or increment are both given. Take the one column or the two, not all"
        )
    return kept


def missing(chosen: Mapping[str, str], header: Sequence[str], *, has_default_product: bool) -> str:
    """A sentence that names the columns without which no line of the file is a price; empty where all are there."""
    needed = ["unit_price", *([] if has_default_product else ["product"])]
    absent = [field for field in needed if field not in chosen]
    if not absent:
        return ""
    default = " or give a default product" if "product" in absent else ""
    return (
        f"line 1: there is no column {' and no column '.join(f'“{field}”' for field in absent)}. Say which column it is"
        f"{default}. The header has: {', '.join(name.strip() for name in header)[:LONGEST_SHOWN]}"
    )


def positions(header: Sequence[str], chosen: Mapping[str, str]) -> dict[str, int]:
    """The position of the column of each field, from 0."""
    names = [name.strip() for name in header]
    return {field: names.index(name) for field, name in chosen.items()}


def sniffed_delimiter(header_line: str) -> str:
    """Which of comma, semicolon, tab and bar parts the columns of a header: the one that stands in it most often."""
    outside = re.sub(r'"[^"]*"', "", header_line)
    return max((",", ";", "\t", "|"), key=outside.count)


def _check(mapping: Mapping[str, str]) -> None:
    unknown = sorted(str(field) for field in mapping if field not in MAPPED)
    if unknown:
        raise DeckLayoutFault(
            f"the mapping names no field of a rate: {', '.join(unknown)[:LONGEST_SHOWN]}. The fields are: "
            f"{', '.join(MAPPED)}"
        )
    for field, name in mapping.items():
        if not isinstance(name, str):
            raise DeckLayoutFault(f"the mapping gives {field} something other than the name of a column")


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()
