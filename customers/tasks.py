"""Celery's part of the APIs: what is no longer needed is removed."""

from celery import shared_task
from django.utils import timezone

from customers.operations.idempotent_requests import forget_answers


@shared_task(name="customers.forget_answers")
def forget_old_answers() -> None:
    """Remove answers to writes with an `Idempotency-Key` that nobody asks for any more."""
    forget_answers(at=timezone.now())
