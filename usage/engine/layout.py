"""How the columns of a file become the fields of a usage data record: pure, no SQL, no Django."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

REQUIRED_FIELDS = ("service", "from_date", "usage_amount")
OPTIONAL_FIELDS = (
    "number",
    "type",
    "product",
    "to_date",
    "billing_directive",
    "billing_effective_date",
    "destination",
    "region",
    "total_amount",
    *(f"udf_string_{n}" for n in range(1, 9)),
    *(f"udf_float_{n}" for n in range(1, 5)),
    *(f"udf_date_{n}" for n in range(1, 5)),
)
FIELDS = (*REQUIRED_FIELDS, *OPTIONAL_FIELDS)
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class LayoutFault(Exception):
    """The file's columns, or the source system's mapping of them, do not give what a record needs."""


@dataclass(frozen=True, slots=True)
class Column:
    """The first of some columns, by position in the file from 0, that is not empty."""

    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """For each field that the file gives: literal texts and columns, in order, to be joined."""

    column_count: int
    fields: Mapping[str, tuple[str | Column, ...]]


def parse_layout(header: Sequence[str], mapping: Mapping[str, str]) -> Layout:
    """The layout of a file with these column names under a source system's mapping.

    `mapping` gives a template for a field: `{Column}` is the value of a column, `{A|B}` the first of several that
    is not empty, all else stands for itself. A field without a template is the column of its own name. Raises
    LayoutFault with a sentence that names the column or field.
    """
    names = [name.strip() for name in header]
    positions: dict[str, int] = {}
    for position, name in enumerate(names):
        if name in positions:
            raise LayoutFault(f"the column “{name}” stands in the header twice")
        positions[name] = position
    unknown = sorted(set(mapping) - set(FIELDS))
    if unknown:
        raise LayoutFault(f"the column mapping of the source system names no field of a record: {', '.join(unknown)}")
    fields: dict[str, tuple[str | Column, ...]] = {}
    for field in FIELDS:
        if field in mapping:
            fields[field] = _template(mapping[field], positions)
        elif field in positions:
            fields[field] = (Column((positions[field],)),)
    missing = [field for field in REQUIRED_FIELDS if field not in fields]
    if missing:
        raise LayoutFault(
            f"there is no column {' and no column '.join(f'“{field}”' for field in missing)}. "
            f"The header has: {', '.join(names)[:500]}"
        )
    return Layout(column_count=len(names), fields=fields)


def _template(template: str, positions: Mapping[str, int]) -> tuple[str | Column, ...]:
    parts: list[str | Column] = []
    for index, part in enumerate(PLACEHOLDER.split(template)):
        if index % 2 == 0:
            if part:
                parts.append(part)
            continue
        alternatives = [name.strip() for name in part.split("|")]
        absent = [name for name in alternatives if name not in positions]
        if absent:
            raise LayoutFault(f"there is no column “{absent[0]}”, which the source system's column mapping names")
        parts.append(Column(tuple(positions[name] for name in alternatives)))
    return tuple(parts)
