"""Answers to writes with an `Idempotency-Key` are kept for a week."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from customers.models import IdempotentRequest
from customers.operations.api_keys import create_api_key
from customers.operations.idempotent_requests import forget_answers, record_answer
from customers.tasks import forget_old_answers
from tests.factories.customers import UserFactory

pytestmark = pytest.mark.django_db

AT = datetime(2026, 2, 8, 9, 0, tzinfo=UTC)


def answered(key: str, at: datetime) -> None:
    """An answer that was kept at that time."""
    api_key, _ = create_api_key(scopes=["write"], user_id=UserFactory().id)
    kept = record_answer(
        api_key_id=api_key.id, key=key, request_line="POST /", body_sha256="0" * 64, status=201, response_body="{}"
    )
    IdempotentRequest.objects.filter(id=kept.id).update(created_at=at)


def keys() -> list[str]:
    return list(IdempotentRequest.objects.order_by("key").values_list("key", flat=True))


def test_answers_are_forgotten_after_seven_days() -> None:
    answered("a week", datetime(2026, 2, 1, 9, 0, tzinfo=UTC))
    answered("a week and a second", datetime(2026, 2, 1, 8, 59, 59, tzinfo=UTC))
    answered("a month", datetime(2026, 1, 8, 9, 0, tzinfo=UTC))

    assert forget_answers(at=AT) == 2
    assert keys() == ["a week"]
    assert forget_answers(at=AT) == 0


def test_the_scheduler_forgets_them() -> None:
    answered("today", timezone.now())
    answered("old", timezone.now() - timedelta(days=8))
    forget_old_answers()
    assert keys() == ["today"]
