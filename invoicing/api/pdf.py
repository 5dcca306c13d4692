"""Answers that are PDFs where they are asked for, and JSON otherwise."""

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from customers.api.views import ApiView


class PdfRenderer(BaseRenderer):
    """Gives the bytes of a PDF as they are. Errors are JSON whatever is accepted: the view sees to it."""

    media_type = "application/pdf"
    format = "pdf"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002  the framework passes it
        renderer_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> bytes:
        return bytes(data)


class PdfView(ApiView):
    """A view whose answer is to be had as JSON or, with `Accept: application/pdf`, as a PDF."""

    renderer_classes: list[type[BaseRenderer]] = [*ApiView.renderer_classes, PdfRenderer]

    def is_pdf_wanted(self, request: Request) -> bool:
        """Whether the caller would rather have the PDF."""
        return isinstance(request.accepted_renderer, PdfRenderer)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:  # noqa: FBT001, FBT002  the framework's own signature
        try:
            return super().perform_content_negotiation(request, force)
        except NotAcceptable as error:
            to_be_had = " or ".join(renderer.media_type for renderer in self.renderer_classes)
            raise NotAcceptable(
                f"It is to be had as {to_be_had}, not as {request.headers.get('Accept', '')[:100]}."
            ) from error

    def handle_exception(self, exc: Exception) -> Any:
        """Errors are JSON, also where a PDF was asked for."""
        self._answer_with_json()
        return super().handle_exception(exc)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """What can be asked is told in JSON too."""
        self._answer_with_json()
        return super().options(request, *args, **kwargs)

    def _answer_with_json(self) -> None:
        self.request.accepted_renderer = ApiView.renderer_classes[0]()
        self.request.accepted_media_type = self.request.accepted_renderer.media_type
