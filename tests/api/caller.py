"""Who calls the APIs in tests, and what the answers are held against."""

import json
from decimal import Decimal
from typing import Any

from django.test import Client


class Caller:
    """Sends requests with one key. `ask` gives the parsed body of a 200, `error` that of any other answer."""

    def __init__(self, key: str | None) -> None:
        self.headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self.client = Client()

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """`body` is made JSON unless it is bytes; a header `idempotency_key` is `Idempotency-Key`."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        content_type = named.pop("content-type", "application/json")
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        # The test client leaves the type of an empty body out.
        given: dict[str, Any] = {"CONTENT_TYPE": content_type}
        return self.client.generic(method, path, data, content_type, headers=self.headers | named, **given)

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, **headers)

    def ask(self, path: str) -> Any:
        response = self.get(path)
        assert response.status_code == 200, response.content
        return parsed(response)


def parsed(response: Any) -> Any:
    """The body, with its numbers exact."""
    assert response.headers["Content-Type"] == "application/json"
    return json.loads(response.content, parse_float=Decimal)


def assert_error(response: Any, status: int, code: str, **errors: list[str]) -> None:
    """The answer is the error object with this status and code and, where given, these messages by field."""
    body = parsed(response)
    assert set(body) >= {"title", "detail", "status", "code", "errors"}
    assert (response.status_code, body["status"], body["code"]) == (status, str(status), code), body
    assert body["detail"]
    if errors:
        assert body["errors"] == errors, body
