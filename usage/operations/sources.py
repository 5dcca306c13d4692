"""What is changed of a source system while a file of it is looked at."""

from collections.abc import Mapping

from django.db import transaction

from usage.engine.layout import columns_named
from usage.models import SourceSystem


@transaction.atomic
def set_column_mapping(*, source_system_id: int, mapping: Mapping[str, str]) -> SourceSystem:
    """Let the files of a source system be read by this mapping from now on.

    Raises LayoutFault where it is none; whether a file has the columns that it names is found when a file is read.
    """
    columns_named(dict(mapping))
    source = SourceSystem.objects.select_for_update().get(pk=source_system_id)
    source.column_mapping = dict(mapping)
    source.save(update_fields=["column_mapping"])
    return source
