"""The words of documents: a file for each language beside the layout."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

FOLDER = Path(__file__).parent.parent / "typst" / "words"
FALLBACK = "en"


def languages() -> list[str]:
    """Codes of the languages that have a file."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@lru_cache
def words_of(language: str) -> Mapping[str, Any]:
    """The words in a language: those of its region, else of the language, else English ones.

    What a file does not have is English. `code` is that of the file that was found.
    """
    english = tomllib.loads((FOLDER / f"{FALLBACK}.toml").read_text(encoding="utf-8"))
    code = language.replace("_", "-")
    found = next((each for each in (code, code.partition("-")[0]) if each in languages()), FALLBACK)
    words = tomllib.loads((FOLDER / f"{found}.toml").read_text(encoding="utf-8"))
    return MappingProxyType(
        {**english, **words, "kinds": {**english["kinds"], **words.get("kinds", {})}, "code": found}
    )
