"""Layouts: everything that a document is made from but its own data, so that it can be made again years later."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from django.core.files.storage import default_storage

from invoicing.adapters.typesetting import FONTS, MAIN
from invoicing.adapters.words import words_of
from invoicing.models import LegalEntity

FOLDER = Path(__file__).parent.parent / "typst"
PIECES = "pieces.typ"
# Where layouts that documents were made with are kept, in Django's storage.
KEPT_IN = "layouts"
LOGO_TYPES = (".png", ".jpg", ".jpeg", ".svg")


class LayoutMissing(Exception):
    """A layout that a document was made with is not where it was kept; the text says so."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The sources (the main one among them) and the logo by name, the words, how the seller is reached, and with what

    programs and fonts a document is made. `sha256` is that of all of it.
    """

    files: Mapping[str, bytes]
    logo: str
    contact: tuple[str, ...]
    words: Mapping[str, Any]
    made_with: str

    @property
    def content(self) -> bytes:
        """All of it as one file."""
        files = {name: base64.b64encode(content).decode() for name, content in sorted(self.files.items())}
        parts = {"files": files, "logo": self.logo, "contact": self.contact, "words": dict(self.words)}
        return json.dumps({**parts, "made_with": self.made_with}, sort_keys=True, ensure_ascii=False).encode()

    @property
    def sha256(self) -> str:
        """Of all of it."""
        return hashlib.sha256(self.content).hexdigest()


@lru_cache
def made_with() -> str:
    """The programs and fonts that make documents here."""
    fonts = hashlib.sha256()
    for path in sorted(FONTS.glob("*.ttf")):
        fonts.update(path.read_bytes())
    return f"typst {version('typst')}, babel {version('babel')}, fonts {fonts.hexdigest()[:16]}"


def layout_of(entity: LegalEntity | None, *, language: str) -> Layout:
    """The layout of a legal entity's documents in a language. Raises LayoutMissing where its logo cannot be read."""
    logo = None
    if entity is not None and entity.logo:
        try:
            with entity.logo.open("rb") as file:
                logo = file.read()
        except OSError as error:
            raise LayoutMissing(
                f"The logo of {entity.name} is not in the storage ({entity.logo.name}): upload it again."
            ) from error
    return layout_with(entity or LegalEntity(), language=language, logo=logo)


def layout_with(entity: LegalEntity, *, language: str, logo: bytes | None) -> Layout:
    """The layout of what a legal entity says, stored or not, with this logo."""
    own = entity.template.strip()
    files = {
        MAIN: f"{own}\n".encode() if own else (FOLDER / MAIN).read_bytes(),
        PIECES: (FOLDER / PIECES).read_bytes(),
    }
    logo_name = ""
    if logo is not None:
        logo_name = f"logo{PurePosixPath(entity.logo.name or '').suffix.lower()}"
        files[logo_name] = logo
    return Layout(
        files=files,
        logo=logo_name,
        contact=tuple(part for part in (entity.phone, entity.email, entity.website) if part),
        words=words_of(language),
        made_with=made_with(),
    )


def kept_as(sha256: str) -> str:
    """Name of the file in the storage that keeps the layout with this SHA-256."""
    return f"{KEPT_IN}/{sha256}.json"


def kept_layout(sha256: str) -> Layout:
    """The one that was kept under this SHA-256. Raises LayoutMissing."""
    name = kept_as(sha256)
    try:
        with default_storage.open(name) as file:
            content = file.read()
    except FileNotFoundError as error:
        raise LayoutMissing(f"The layout that the PDF was made with is not in the storage any more: {name}.") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise LayoutMissing(f"The layout that the PDF was made with is not what it was: {name} was changed.")
    parts = json.loads(content)
    return Layout(
        files={name: base64.b64decode(file) for name, file in parts["files"].items()},
        logo=parts["logo"],
        contact=tuple(parts["contact"]),
        words=parts["words"],
        made_with=parts["made_with"],
    )
