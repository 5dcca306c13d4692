"""The OpenAPI 3.1 document: how to log in, which errors there are, and its own address and page."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

METHODS = {"get": False, "post": True, "put": True, "patch": True, "delete": True}

ERROR = {
    "type": "object",
    "description": "Every answer that is an error.",
    "properties": {
        "title": {"type": "string"},
        "detail": {"type": "string", "description": "What is wrong, as a sentence."},
        "status": {"type": "string", "description": "The HTTP status, as a text."},
        "code": {"type": "string", "description": "What is wrong, for programs."},
        "errors": {
            "type": "object",
            "description": "By field: what is wrong with it.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
    "required": ["title", "detail", "status", "code", "errors"],
}

ERRORS_OF_ALL = {
    "400": "Bad query or body; each field is named",
    "401": "No key, or not one that holds",
    "403": "The caller may not",
    "406": "Not to be had in a format that is accepted",
    "429": "Too many requests; `Retry-After` says when to go on",
}
ERRORS_OF_ONE = {"404": "There is no such thing, or it is another's"}
ERRORS_OF_WRITES = {
    "409": "Not in this state",
    "413": "The body is too large",
    "415": "Not a type of body that is taken",
    "422": "Understood, and refused",
}

# All that paths name are ids.
PATH_ID = {"type": "string", "pattern": "^[1-9][0-9]{0,18}$"}

IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    "description": "The same key and body give the first answer again; the same key with another body is a 422.",
}


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The two headers that a key may be in."""

    target_class = "customers.api.authentication.ApiKeyAuthentication"
    name = ["Bearer", "Fastly-Key"]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[str]]]:  # noqa: ARG002
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, str]]:  # noqa: ARG002
        return [{"type": "http", "scheme": "bearer"}, {"type": "apiKey", "in": "header", "name": "Fastly-Key"}]


class LoginScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The admin's login."""

    target_class = "customers.api.authentication.StaffSessionAuthentication"
    name = "Login"
    priority = 1

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:  # noqa: ARG002
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


class StrictBody(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """A body that takes no members but its own says so."""

    target_class = "customers.api.bodies.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        # As the extension's own method does, but for the subclass that is found.
        schema = auto_schema._map_serializer(  # type: ignore[no-untyped-call]  # noqa: SLF001
            self.target, direction, bypass_extensions=True
        )
        return {**schema, "additionalProperties": False, **self.target.shape}


def complete_document(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add what all operations have in common: their errors, `Idempotency-Key`, and paths without the optional slash."""
    result["components"]["schemas"]["Error"] = ERROR
    paths = {path.rstrip("/"): operations for path, operations in result["paths"].items()}
    for path, operations in paths.items():
        for method, operation in operations.items():
            if method in METHODS:
                _complete(operation, path, is_write=METHODS[method])
                _require_body(operation, result["components"]["schemas"])
    result["paths"] = paths
    _exact(result)
    return result


def _exact(schema: Any) -> None:
    """Say nothing of binary floats: numbers are decimals with all their digits."""
    if isinstance(schema, dict):
        if schema.get("format") == "double":
            del schema["format"]
        for inner in schema.values():
            _exact(inner)
    elif isinstance(schema, list):
        for inner in schema:
            _exact(inner)


def _require_body(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Say that a body is required where an empty object is not taken; the generator looks at required members only."""
    body = operation.get("requestBody", {})
    for content in body.get("content", {}).values():
        name = content["schema"].get("$ref", "").removeprefix("#/components/schemas/")
        if schemas.get(name, {}).get("minProperties"):
            body["required"] = True


def _complete(operation: dict[str, Any], path: str, *, is_write: bool) -> None:
    errors = dict(ERRORS_OF_ALL)
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter["schema"] = PATH_ID
    if "{" in path:
        errors |= ERRORS_OF_ONE
    if is_write:
        errors |= ERRORS_OF_WRITES
        operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for status, description in sorted(errors.items()):
        operation["responses"].setdefault(status, {"description": description, "content": content})


class DocumentView(SpectacularAPIView):
    """`/api/schema/`: JSON unless YAML is asked for."""

    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer, OpenApiYamlRenderer2]


class PageView(SpectacularSwaggerView):
    """`/api/docs/`: the document to look at and try."""
