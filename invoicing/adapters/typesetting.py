"""The program that turns layouts into PDFs and pictures: a process of its own, which imports nothing but Typst.

It reads requests from its standard input and writes answers to its standard output, each a line of JSON, until its
input ends. A layout that somebody wrote may take for ever or break the process; then it is ended and another started.

A request: {"folder": where the layout is, "data": what is in sys.inputs.data, "format": "pdf" or "png", "ppi": pixels
per inch of a picture, "tags": whether the PDF says what its parts are, "at": seconds since 1970}. The answer: {"files":
[base64, ...]}, or {"error": text}.
"""

import base64
import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import typst

FONTS = Path(__file__).parent.parent / "fonts"
MAIN = "invoice.typ"
# For archives. Where it cannot be had (a character that no font has), the PDF is made without.
STANDARD: Literal["a-2b"] = "a-2b"
# What Typst's messages begin with where a document cannot be of the standard.
STANDARD_UNMET = "PDF/A"
LARGEST_MEMORY_BYTES = 4 * 1024**3
# How many layouts are kept in memory.
COMPILERS_KEPT = 16


class Typesetter:
    """Compiles layouts. The fonts are read once, and what was read of a layout is kept."""

    def __init__(self) -> None:
        self.fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])
        self.compilers: dict[str, typst.Compiler] = {}

    def compiler(self, folder: str) -> typst.Compiler:
        """The one for the layout in this folder; it reads nothing outside of it."""
        if folder not in self.compilers:
            if len(self.compilers) >= COMPILERS_KEPT:
                self.compilers.clear()
            self.compilers[folder] = typst.Compiler(
                f"{folder}/{MAIN}",
                root=folder,
                font_paths=self.fonts,
                ignore_system_fonts=True,
                package_path=folder,
                package_cache_path=folder,
            )
        return self.compilers[folder]

    def make(self, request: dict[str, Any]) -> list[bytes]:
        """The files asked for: one PDF, or a picture for each page. Raises `typst.TypstError`."""
        compiler = self.compiler(request["folder"])
        options: dict[str, Any] = {"sys_inputs": {"data": request["data"]}, "timestamp": request["at"]}
        if request["format"] == "png":
            made = compiler.compile(format="png", ppi=request["ppi"], **options)
        else:
            options |= {"format": "pdf", "pdf_tags": request["tags"]}
            try:
                made = compiler.compile(pdf_standards=STANDARD, **options)
            except typst.TypstError as error:
                if not error.message.startswith(STANDARD_UNMET):
                    raise
                made = compiler.compile(**options)
        return made if isinstance(made, list) else [made or b""]


def answer(typesetter: Typesetter, line: str) -> dict[str, Any]:
    """Do what a request asks for."""
    try:
        files = typesetter.make(json.loads(line))
    except typst.TypstError as error:
        return {"error": "\n".join([error.message, *(f"Hint: {hint}" for hint in error.hints), *places(error)])}
    return {"files": [base64.b64encode(file).decode() for file in files]}


def places(error: typst.TypstError) -> Iterator[str]:
    """The lines of the layout that an error is about, from Typst's own account of it."""
    for line in error.diagnostic.splitlines():
        if "┌─" in line or "│" in line:
            yield line.rstrip()


def main() -> None:
    """Answer until the input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (LARGEST_MEMORY_BYTES, LARGEST_MEMORY_BYTES))
    typesetter = Typesetter()
    for line in sys.stdin:
        json.dump(answer(typesetter, line), sys.stdout)
        sys.stdout.write("\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
