"""`Idempotency-Key`: a write that is sent twice is done once."""

import functools
import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.exceptions import Conflict, Refused, TooLarge
from customers.api.views import ApiView
from customers.models import ApiKey, IdempotentRequest
from customers.operations.idempotent_requests import key_in_use, record_answer
from customers.queries.api_keys import first_answer

HEADER = "Idempotency-Key"
KEY_LENGTH_MAX = 255

Handler = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Write:
    """A write with its key. `digest` gives the SHA-256 of its body; it may have to read the body to its end."""

    view: ApiView
    request: Request
    key: str
    api_key_id: int
    digest: Callable[[], str]

    @property
    def line(self) -> str:
        """Method and path with its query."""
        return f"{self.request.method} {self.request.get_full_path()}"


def idempotent(handler: Handler) -> Handler:
    """Give the first answer again when a handler is called twice with the same key and body.

    The answer is kept in the transaction of the write: both are there or neither is.
    """

    @functools.wraps(handler)
    def answer(view: ApiView, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        def handle() -> HttpResponseBase:
            return handler(view, request, *args, **kwargs)

        if HEADER not in request.headers:
            return handle()
        body_sha256 = _digest_of_body(request)
        return answer_once(view, request, handle, digest=lambda: body_sha256, is_atomic=True)

    return answer


def answer_once(
    view: ApiView,
    request: Request,
    handle: Callable[[], HttpResponseBase],
    *,
    digest: Callable[[], str],
    is_atomic: bool = False,
) -> HttpResponseBase:
    """What `idempotent` does, for a body that is not held in memory and a write that has transactions of its own.

    Such a write must itself do no harm when it is done again: a crash between it and the keeping of its answer repeats
    it. Raises `ValidationError` for a bad key, `Conflict` while the key is in use, `Refused` for another request.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return handle()
    write = Write(view, request, key, _checked(request, key).id, digest)
    with key_in_use(api_key_id=write.api_key_id, key=key) as is_ours:
        if not is_ours:
            raise Conflict(f"A request with this {HEADER} is being worked on.", code="idempotency_key_in_use")
        first = first_answer(api_key_id=write.api_key_id, key=key)
        if first is not None:
            return _again(write, first)
        return _for_the_first_time(write, handle, is_atomic=is_atomic)


def _checked(request: Request, key: str) -> ApiKey:
    if not isinstance(request.auth, ApiKey):
        raise ValidationError({HEADER: ["It is remembered for an API key: it needs one, a login is not enough."]})
    if not (0 < len(key) <= KEY_LENGTH_MAX and key.isascii() and key.isprintable()):
        raise ValidationError({HEADER: [f"It is 1 to {KEY_LENGTH_MAX} printable ASCII characters."]})
    return request.auth


def _again(write: Write, first: IdempotentRequest) -> HttpResponse:
    if (first.request_line, first.body_sha256) != (write.line, write.digest()):
        raise Refused(f"This {HEADER} was used for another request.", code="idempotency_key_reused")
    headers = {"Idempotent-Replayed": "true"}
    return HttpResponse(first.response_body, status=first.status, content_type="application/json", headers=headers)


def _for_the_first_time(write: Write, handle: Callable[[], HttpResponseBase], *, is_atomic: bool) -> HttpResponseBase:
    try:
        with transaction.atomic() if is_atomic else nullcontext():
            return _kept(write, handle())
    except APIException as refusal:
        # The write was rolled back; that it was refused is the answer to keep.
        return _kept(write, write.view.handle_exception(refusal))


def _kept(write: Write, response: HttpResponseBase) -> HttpResponseBase:
    if isinstance(response, Response):
        request = write.request
        body = request.accepted_renderer.render(response.data, request.accepted_media_type, {}) or b""
        record_answer(
            api_key_id=write.api_key_id,
            key=write.key,
            request_line=write.line,
            body_sha256=write.digest(),
            status=response.status_code,
            response_body=body if isinstance(body, str) else body.decode(),
        )
    return response


def _digest_of_body(request: Request) -> str:
    try:
        return hashlib.sha256(request.body).hexdigest()
    except RequestDataTooBig as error:
        raise TooLarge from error
