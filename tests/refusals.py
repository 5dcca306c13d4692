"""What the database refuses."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection, transaction


@contextmanager
def refused(by: str) -> Iterator[None]:
    """Expect the database to refuse what is done inside, saying `by`: a constraint's name or a trigger's words.

    Foreign keys that are checked at the end of a transaction are checked here. The test's transaction goes on after it.
    """
    with pytest.raises(DatabaseError, match=by), transaction.atomic():  # noqa: PT012  both are expected
        yield
        connection.check_constraints()
