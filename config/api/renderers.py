"""JSON with exact numbers."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import simplejson
from rest_framework.renderers import BaseRenderer
from rest_framework.utils.encoders import JSONEncoder


class ExactJSONRenderer(BaseRenderer):
    """Writes a `Decimal` as the literal that it prints as: all its digits, no exponent, never by way of a float."""

    media_type = "application/json"
    format = "json"
    charset = None  # JSON is UTF-8 by definition.

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002  the framework passes it
        renderer_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> bytes:
        if data is None:
            return b""
        text = simplejson.dumps(
            data, default=_encoded, use_decimal=False, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )
        # Half a surrogate pair, which UTF-8 cannot hold, becomes JSON's escape of it.
        return text.encode("utf-8", "backslashreplace")


def _encoded(value: object) -> Any:
    if isinstance(value, Decimal):
        return simplejson.RawJSON(format(value, "f"))
    return JSONEncoder().default(value)
