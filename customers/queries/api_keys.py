"""Reads on API keys."""

import hashlib

from customers.models import ApiKey, IdempotentRequest


def key_digest(text: str) -> str:
    """SHA-256 of a key in hexadecimal, as it is stored. Keys are long and random: no salt and no slow hash needed."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def api_key_by_text(text: str) -> ApiKey | None:
    """The key with its owner, or None where there is none such. Whether it still holds is for the caller to judge."""
    return ApiKey.objects.select_related("user", "customer").filter(key_sha256=key_digest(text)).first()


def first_answer(*, api_key_id: int, key: str) -> IdempotentRequest | None:
    """The answer that a write with this `Idempotency-Key` was given before, or None where it is the first."""
    return IdempotentRequest.objects.filter(api_key_id=api_key_id, key=key).first()
