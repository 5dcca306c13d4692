"""Rules of the house as functions of source text: each gives the faults that it finds, "line: what", in order."""

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("billing", "reports", "invoicing", "usage", "customers", "catalog")
LONGEST_FILE = 400
LONGEST_FUNCTION = 50

CLOCKS = {
    "date": {"today"},
    "datetime": {"now", "today", "utcnow"},
    "dt": {"now", "today", "utcnow"},
    "time": {"time", "time_ns", "localtime", "gmtime"},
    "timezone": {"now", "localdate", "localtime"},
}
DATABASE_CLOCK = re.compile(r"\b(now\(\)|current_date|current_timestamp|clock_timestamp\(\))", re.IGNORECASE)
WRITING = {
    "abulk_create",
    "abulk_update",
    "acreate",
    "adelete",
    "asave",
    "aupdate",
    "bulk_create",
    "bulk_update",
    "create",
    "delete",
    "get_or_create",
    "save",
    "update",
    "update_or_create",
}
WRITING_SQL = re.compile(r"\b(INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+\w+\s+SET|TRUNCATE|COPY\s+\w+.*\sFROM)\b")
# Names under which everything and nothing is filed.
DRAWERS = {"common", "helpers", "misc", "services", "signals", "utils"}


def modules(*apps: str) -> list[Path]:
    """The Python files of these apps, without migrations."""
    return sorted(path for app in apps for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)


def layer(path: Path) -> str:
    """The layer of an app that a file belongs to: billing/operations/runs.py is of `operations`."""
    return path.relative_to(ROOT).parts[1].removesuffix(".py")


def faults(found: Iterator[tuple[int, str]]) -> list[str]:
    return [f"{line}: {what}" for line, what in sorted(found)]


def clock_reads(source: str) -> list[str]:
    """Calls that read the clock, and SQL that reads the database's."""
    tree = ast.parse(source)
    return faults(chain(_clock_reads(tree), _sql_with(DATABASE_CLOCK, tree)))


def python_clock_reads(source: str) -> list[str]:
    """Calls that read the clock."""
    return faults(_clock_reads(ast.parse(source)))


def _clock_reads(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if node.attr in CLOCKS.get(owner, ()):
                yield node.lineno, f"{owner}.{node.attr}"


def floats(source: str) -> list[str]:
    """Binary floats: literals, `float` (type or call) and `FloatField`."""
    return faults(_floats(ast.parse(source)))


def _floats(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield node.lineno, str(node.value)
        elif isinstance(node, ast.Name) and node.id == "float":
            yield node.lineno, "float"
        elif isinstance(node, ast.Attribute) and node.attr == "FloatField":
            yield node.lineno, "FloatField"


def writes(source: str) -> list[str]:
    """Calls of the ORM that write, and SQL that does."""
    tree = ast.parse(source)
    return faults(chain(_writes(tree), _sql_with(WRITING_SQL, tree)))


def orm_writes(source: str) -> list[str]:
    """Calls of the ORM that write."""
    return faults(_writes(ast.parse(source)))


def _writes(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITING):
            continue
        # The super() of a framework's class, and update() of a dictionary or a digest, which takes what it adds.
        is_super = isinstance(node.func.value, ast.Call) and getattr(node.func.value.func, "id", "") == "super"
        if not is_super and not (node.func.attr in {"delete", "update"} and node.args):
            yield node.lineno, f".{node.func.attr}()"


def _sql_with(words: re.Pattern[str], tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Where the words stand in a text that is not a docstring."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in docstrings:
            continue
        if found := words.search(node.value):
            yield node.lineno, " ".join(found[0].split())


def too_long(source: str) -> list[str]:
    """A file of 400 lines and more, and functions of 50 and more, without their decorators."""
    lines = source.count("\n")
    if lines >= LONGEST_FILE:
        return [f"{lines} lines"]
    return faults(
        (node.lineno, f"{node.name} has {length} lines")
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) >= LONGEST_FUNCTION
    )


def app_imports(source: str, *, allowed: frozenset[str]) -> list[str]:
    """Imports of our own modules other than those allowed."""
    return faults(_app_imports(ast.parse(source), allowed))


def _app_imports(tree: ast.Module, allowed: frozenset[str]) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "." * node.level]
        else:
            continue
        for name in names:
            if (name.startswith(".") or name.split(".")[0] in {*APPS, "config"}) and name not in allowed:
                yield node.lineno, name


def drawers(path: str) -> list[str]:
    """Parts of a path that say nothing of what is in it. Commands are named as people type them."""
    if "/management/commands/" in path:
        return []
    return [part for part in path.removesuffix(".py").split("/") if part in DRAWERS]
