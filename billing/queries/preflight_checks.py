"""What one check before a run found, and how checks word it."""

from dataclasses import dataclass

from billing.choices import PreflightVerdict

NAMED = 3


@dataclass(frozen=True, slots=True)
class PreflightCheck:
    """One check: how many things it found and what that means, in a sentence.

    `model` (`app_model`) is whose list shows them, filtered by `query`.
    """

    code: str
    title: str
    verdict: PreflightVerdict
    count: int
    detail: str
    model: str
    query: tuple[tuple[str, str], ...] = ()


def warn_of(count: int) -> PreflightVerdict:
    """A warning where anything was found."""
    return PreflightVerdict.WARN if count else PreflightVerdict.PASS


def counted(count: int, one: str, many: str) -> str:
    """Such as "1 line" and "1,200 lines"."""
    return f"{count:,} {either(count, one, many)}"


def either(count: int, one: str, many: str) -> str:
    """The words for one, or those for none and many: "it" and "them"."""
    return one if count == 1 else many


def listed(texts: list[str]) -> str:
    """The first of the texts, and how many more there are."""
    shown = ", ".join(texts[:NAMED])
    return shown if len(texts) <= NAMED else f"{shown} and {len(texts) - NAMED:,} more"
