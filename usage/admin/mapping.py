"""The column mapping of a source system as a form: for each field of a record, what of a file's columns it is."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from usage.engine.layout import FIELDS, REQUIRED_FIELDS

NOTHING, TEXT, COLUMN = "nothing", "text", "column:"
# Of a file of more columns the others are named in a text.
OFFERED_COLUMNS = 200
LONGEST_TEMPLATE = 500
# What a template has a meaning for: such a column cannot be named in one.
RESERVED = frozenset("{}|")
HINTS = {
    "number": "The source's own number of the record: the same number again is a duplicate.",
    "service": "Who used it: the identifier of a service, such as a telephone number.",
    "type": "The kind of use. Without one: the default type of the source system.",
    "product": "Its code. Without one: the product of the service.",
    "from_date": "When the use started.",
    "to_date": "When it ended. Without one: when it started.",
    "usage_amount": "How much, in the unit of the type.",
    "billing_directive": "TO_BE_BILLED, TO_BE_CREDITED or NOT_TO_BE_BILLED. Without one: to be billed.",
    "billing_effective_date": "Without one: the day of the start, in the customer's time zone.",
    "destination": "Where to, such as the number that was called.",
    "region": "Where, if prices differ by it.",
    "total_amount": "The price, where the source system has priced it already.",
    "life_cycle_state": "DRAFT or POSTED. Without one: posted.",
    "subscription_action": "The number of the action that it belongs to.",
}


@dataclass(frozen=True, slots=True)
class MappingRow:
    """A field of a record in the form: what it is, and the two inputs."""

    name: str
    hint: str
    is_required: bool
    is_user_defined: bool
    choice: forms.BoundField
    text: forms.BoundField


class MappingForm(forms.Form):
    """What each field of a record is made of. Starts as the source system's mapping says it."""

    def __init__(self, *, columns: Sequence[str], mapping: object, data: Any = None) -> None:
        self._stored: dict[str, Any] = mapping if isinstance(mapping, dict) else {}
        self._columns = frozenset(columns)
        offered = [name for name in columns if name and not RESERVED & set(name)][:OFFERED_COLUMNS]
        starts = {field: self._start(field, frozenset(offered)) for field in FIELDS}
        super().__init__(data, initial={key: value for start in starts.values() for key, value in start.items()})
        choices = [
            (NOTHING, "nothing"),
            *((f"{COLUMN}{name}", f"column {name}") for name in dict.fromkeys(offered)),
            (TEXT, "a text of columns…"),
        ]
        for field in FIELDS:
            self.fields[f"from_{field}"] = forms.ChoiceField(
                choices=choices, widget=UnfoldAdminSelectWidget(attrs={"aria-label": field})
            )
            attrs = {"aria-label": f"{field}: text of columns", "placeholder": "{Column A|Column B} or a text"}
            self.fields[f"text_{field}"] = forms.CharField(
                max_length=LONGEST_TEMPLATE, required=False, widget=UnfoldAdminTextInputWidget(attrs=attrs)
            )

    def clean(self) -> None:
        super().clean()
        for field in FIELDS:
            if self.cleaned_data.get(f"from_{field}") == TEXT and not self.cleaned_data.get(f"text_{field}"):
                self.add_error(f"text_{field}", "Write the text, such as +{Prefix}{Number}, or choose nothing.")

    def rows(self) -> list[MappingRow]:
        """The fields in the order of the form."""
        return [
            MappingRow(
                name=field,
                hint=HINTS.get(field, ""),
                is_required=field in REQUIRED_FIELDS,
                is_user_defined=field.startswith("udf_"),
                choice=self[f"from_{field}"],
                text=self[f"text_{field}"],
            )
            for field in FIELDS
        ]

    def mapping(self) -> dict[str, str]:
        """The mapping that a valid form says."""
        return self._mapping(self.cleaned_data)

    def is_changed(self) -> bool:
        """Whether a valid form says something else than what the source system has."""
        return self.mapping() != self._mapping(self.initial)

    def _start(self, field: str, offered: frozenset[str]) -> dict[str, str]:
        template = self._stored.get(field)
        if not isinstance(template, str):
            choice = f"{COLUMN}{field}" if field in offered else NOTHING
        elif not template:
            choice = NOTHING
        else:
            name = template[1:-1].strip() if template.startswith("{") and template.endswith("}") else ""
            choice = f"{COLUMN}{name}" if name in offered else TEXT
        return {f"from_{field}": choice, f"text_{field}": template if isinstance(template, str) else ""}

    def _mapping(self, chosen: Mapping[str, Any]) -> dict[str, str]:
        """Templates of the fields. What is read from the column of its own name needs none."""
        mapping = {}
        for field in FIELDS:
            choice = chosen[f"from_{field}"]
            if choice == TEXT:
                mapping[field] = chosen[f"text_{field}"]
            elif choice == NOTHING:
                if field in self._columns or self._stored.get(field) == "":
                    mapping[field] = ""
            elif choice != f"{COLUMN}{field}":
                mapping[field] = f"{{{choice.removeprefix(COLUMN)}}}"
        return mapping


def columns_of_lines(lines: Iterable[str]) -> tuple[str, ...]:
    """The names that JSON lines have values for, in the order in which they come up."""
    names: dict[str, None] = {}
    for line in lines:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            names |= dict.fromkeys(found)
    return tuple(names)
