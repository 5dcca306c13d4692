"""How far imports are, in the cache: it is only to look at, and may be lost."""

from contextlib import suppress
from dataclasses import asdict

from django.core.cache import cache

from usage.engine.progress import ImportProgress

KEPT_SECONDS = 3_600


def report_progress(import_id: int, progress: ImportProgress) -> None:
    """Note how far an import is. A cache that is away is no fault."""
    with suppress(Exception):
        cache.set(_key(import_id), asdict(progress), KEPT_SECONDS)


def progress_of(import_id: int) -> ImportProgress | None:
    """How far an import is, where it is known."""
    with suppress(Exception):
        noted = cache.get(_key(import_id))
        return ImportProgress(**noted) if noted else None
    return None


def _key(import_id: int) -> str:
    return f"usage-import-{import_id}"
