"""Months to date in Django's cache: answers of some minutes, and who is making one.

A cache that is away has no answers and takes none: `is_away` says so, and nothing is raised.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar
from uuid import uuid4

from django.conf import settings
from django.core.cache import cache

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class MonthKey:
    """Whose month, as of which of its days: a new day is asked anew. `shape` is that of the answers."""

    customer_id: int
    day: date
    shape: str

    def __str__(self) -> str:
        shape = hashlib.sha256(self.shape.encode()).hexdigest()[:8]
        return f"month-to-date:{self.customer_id}:{self.day.isoformat()}:{shape}"


def stored(key: MonthKey) -> Any:
    """The answer, or None where there is none."""
    return _asked(lambda: cache.get(f"{key}"), default=None)


def store(key: MonthKey, answer: object) -> bool:
    """Keep the answer for some minutes (settings); whether the cache took it."""

    def keep() -> bool:
        cache.set(f"{key}", answer, timeout=settings.BILLING_MONTH_TO_DATE_SECONDS)
        cache.delete(f"{key}:tries")
        return True

    return _asked(keep, default=False)


def claim(key: MonthKey) -> str | None:
    """Be the one who makes the answer, for some minutes (settings) at most: what to give back, None where another is.

    Where the cache is away, everybody is.
    """
    token = uuid4().hex
    seconds = settings.BILLING_MONTH_TO_DATE_CLAIM_SECONDS
    taken = _asked(lambda: cache.add(f"{key}:maker", token, timeout=seconds), default=True)
    return token if taken else None


def give_back(key: MonthKey, token: str) -> None:
    """Let others make the answer, unless the time was over and another one does already."""

    def free() -> None:
        if cache.get(f"{key}:maker") == token:
            cache.delete(f"{key}:maker")

    _asked(free, default=None)


def count_try(key: MonthKey) -> int:
    """Note that a worker is asked for the answer; how often one was since the last answer. 0: the cache is away."""

    def count() -> int:
        cache.add(f"{key}:tries", 0, timeout=10 * settings.BILLING_MONTH_TO_DATE_CLAIM_SECONDS)
        return int(cache.incr(f"{key}:tries"))

    return _asked(count, default=0)


def _asked(question: Callable[[], Answer], *, default: Answer) -> Answer:
    try:
        return question()
    except Exception:  # whatever the cache's client raises, the answer is made without it
        logger.warning("The cache does not answer: a month to date is made without it.", exc_info=True)
        return default
