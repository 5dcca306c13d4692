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
    "life_cycle_state",
    "subscription_action",
    *(f"udf_string_{n}" for n in range(1, 9)),
    *(f"udf_float_{n}" for n in range(1, 5)),
    *(f"udf_date_{n}" for n in range(1, 5)),
)
FIELDS = (*REQUIRED_FIELDS, *OPTIONAL_FIELDS)
# Characters of the header, which may be a megabyte of something else, that a message shows.
LONGEST_SHOWN = 500
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


def parse_layout(header: Sequence[str], mapping: object) -> Layout:
    """The layout of a file with these column names under a source system's mapping.

    `mapping` gives a template for a field: `{Column}` is the value of a column, `{A|B}` the first of several that
    is not empty, all else stands for itself; an empty template gives nothing. A field without a template is the column
    of its own name. Columns without a name are passed over. `mapping` is JSON as a person wrote it. Raises LayoutFault
    with a sentence that names the column or field, and the header's line where the file is at fault.
    """
    names = [name.strip() for name in header]
    positions: dict[str, int] = {}
    for position, name in enumerate(names):
        if name in positions:
            raise LayoutFault(f"line 1: the column “{name[:LONGEST_SHOWN]}” stands in the header twice")
        if name:
            positions[name] = position
    templates = _templates(mapping)
    fields: dict[str, tuple[str | Column, ...]] = {}
    for field in FIELDS:
        if field not in templates and field in positions:
            fields[field] = (Column((positions[field],)),)
        elif parts := _parts(templates.get(field, ""), positions):
            fields[field] = parts
    missing = [field for field in REQUIRED_FIELDS if field not in fields]
    if missing:
        raise LayoutFault(
            f"line 1: there is no column {' and no column '.join(f'“{field}”' for field in missing)}. "
            f"The header has: {', '.join(names)[:LONGEST_SHOWN]}"
        )
    return Layout(column_count=len(names), fields=fields)


def columns_named(mapping: object) -> tuple[str, ...]:
    """The columns that a file without a header may have: those that the mapping names, and the fields' own names.

    Raises LayoutFault where the mapping is none.
    """
    templates = _templates(mapping)
    named = {
        name.strip()
        for template in templates.values()
        for part in PLACEHOLDER.findall(template)
        for name in part.split("|")
    }
    return (*FIELDS, *sorted(named - set(FIELDS) - {""}))


def _templates(mapping: object) -> dict[str, str]:
    """The column mapping as what it should be: a template for each of some fields of a record."""
    if not isinstance(mapping, dict):
        raise LayoutFault("the column mapping of the source system is not a JSON object")
    unknown = sorted(set(mapping) - set(FIELDS))
    if unknown:
        raise LayoutFault(f"the column mapping of the source system names no field of a record: {', '.join(unknown)}")
    for field, template in mapping.items():
        if not isinstance(template, str):
            raise LayoutFault(f"the column mapping of the source system gives “{field}” something other than a text")
    return mapping


def _parts(template: str, positions: Mapping[str, int]) -> tuple[str | Column, ...]:
    parts: list[str | Column] = []
    for index, part in enumerate(PLACEHOLDER.split(template)):
        if index % 2 == 0:
            if part:
                parts.append(part)
            continue
        alternatives = [name.strip() for name in part.split("|")]
        absent = [name for name in alternatives if name not in positions]
        if absent:
            raise LayoutFault(
                f"line 1: there is no column “{absent[0]}”, which the source system's column mapping names. "
                f"The header has: {', '.join(positions)[:LONGEST_SHOWN]}"
            )
        parts.append(Column(tuple(positions[name] for name in alternatives)))
    return tuple(parts)
