"""JSON with exact numbers."""

from collections.abc import Mapping
from decimal import InvalidOperation
from typing import IO, Any

import simplejson
from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from customers.api.exceptions import TooLarge


class ExactJSONParser(BaseParser):
    """Reads every number with a point or an exponent as a `Decimal`. At most `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002  the framework passes it
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise TooLarge(f"A JSON body has at most {limit} bytes.")
        try:
            return simplejson.loads(body.decode("utf-8-sig"), use_decimal=True)
        except UnicodeDecodeError as error:
            raise ParseError(f"The body is not UTF-8: byte {error.start + 1} is wrong.") from error
        except RecursionError as error:
            raise ParseError("The body is nested too deeply.") from error
        except InvalidOperation as error:
            raise ParseError("The body has a number with an exponent that is too large.") from error
        except ValueError as error:
            raise ParseError(f"The body is not JSON: {error}.") from error
