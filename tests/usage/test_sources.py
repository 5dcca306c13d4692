"""What is changed of a source system while a file of it is looked at."""

import pytest

from tests.factories import SourceSystemFactory
from usage.engine.layout import LayoutFault
from usage.models import SourceSystem
from usage.operations.sources import set_column_mapping

pytestmark = pytest.mark.django_db


def test_mapping_is_kept_and_nothing_else_changes() -> None:
    source = SourceSystemFactory(null_text="NULL")
    SourceSystem.objects.update(description="Said meanwhile.")
    set_column_mapping(source_system_id=source.pk, mapping={"number": "{CallId}"})
    kept = SourceSystem.objects.get()
    assert (kept.column_mapping, kept.null_text, kept.description) == (
        {"number": "{CallId}"},
        "NULL",
        "Said meanwhile.",
    )


def test_mapping_of_what_is_no_field_is_refused() -> None:
    source = SourceSystemFactory(column_mapping={"number": "{CallId}"})
    with pytest.raises(LayoutFault, match="names no field of a record: nunber"):
        set_column_mapping(source_system_id=source.pk, mapping={"nunber": "{CallId}"})
    assert SourceSystem.objects.get().column_mapping == {"number": "{CallId}"}
