"""What a write with an `Idempotency-Key` was answered, and that two of them do not run at once."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection

from customers.models import IdempotentRequest

# Who sends a write again does so soon: after this long its answer is forgotten.
KEPT = timedelta(days=7)


@contextmanager
def key_in_use(*, api_key_id: int, key: str) -> Iterator[bool]:
    """Hold the `Idempotency-Key` while its write runs; gives False where another request holds it.

    The lock is the connection's, not the transaction's: an import commits on its way.
    """
    digest = hashlib.sha256(f"{api_key_id}:{key}".encode()).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        (is_ours,) = cursor.fetchone()
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


def record_answer(
    *, api_key_id: int, key: str, request_line: str, body_sha256: str, status: int, response_body: str
) -> IdempotentRequest:
    """Keep the answer that the first write with this key was given."""
    return IdempotentRequest.objects.create(
        api_key_id=api_key_id,
        key=key,
        request_line=request_line,
        body_sha256=body_sha256,
        status=status,
        response_body=response_body,
    )


def forget_answers(*, at: datetime) -> int:
    """Remove the answers that are older than KEPT at that time, and give back how many.

    A write that is sent again with the key of one of them is a new write.
    """
    _, removed = IdempotentRequest.objects.filter(created_at__lt=at - KEPT).delete()
    return removed.get(IdempotentRequest._meta.label, 0)
