"""Our source keeps the rules of the house; and each rule is shown to find what it is there to find."""

from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from tests.architecture import rules

INTERFACES = {"admin", "api", "management", "tasks"}
EXACT = {"engine", "models", "operations", "queries", "querysets"}
# Fields that migrations name by their path, and the validator of a field, which Django writes into migrations.
MIGRATIONS_MAY_IMPORT = frozenset({"catalog.models.fields", "customers.models.customers"})
# Tests that belong to no one app.
TEST_FOLDERS = {
    "admin",
    "api",
    "architecture",
    "bench",
    "browser",
    "clients",
    "concurrency",
    "config",
    "factories",
    "properties",
    "scenarios",
}


def files(*layers: str, but: Collection[str] = ()) -> list[Path]:
    """The Python files of these layers of all apps; of all layers but some."""
    return [
        path
        for path in rules.modules(*rules.APPS)
        if (rules.layer(path) in layers or not layers) and rules.layer(path) not in but
    ]


def offences(rule: Callable[[str], list[str]], paths: list[Path]) -> dict[str, list[str]]:
    """What a rule finds, by file; files without a fault are left out."""
    assert paths, "the rule looks at no file at all"
    found = {str(path.relative_to(rules.ROOT)): rule(path.read_text()) for path in paths}
    return {path: faults for path, faults in found.items() if faults}


def test_only_interfaces_read_the_clock() -> None:
    # The clock of PostgreSQL stands in models only as the default of `created_at`, as Now(), and in their triggers.
    assert not offences(
        rules.clock_reads,
        [path for path in rules.modules(*rules.APPS) if rules.layer(path) not in {*INTERFACES, "models"}],
    )
    assert not offences(
        rules.python_clock_reads, [path for path in rules.modules(*rules.APPS) if rules.layer(path) == "models"]
    )


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("timezone.now()", ["1: timezone.now"]),
        ("x = 1\ny = datetime.now(UTC)", ["2: datetime.now"]),
        ("datetime.datetime.now()", ["1: datetime.now"]),
        ("default = timezone.now", ["1: timezone.now"]),
        ("date.today()", ["1: date.today"]),
        ("import time\ntime.time()", ["2: time.time"]),
        ("cursor.execute('UPDATE a SET b = now()')", ["1: now()"]),
        ("SQL = 'SELECT Current_Date'", ["1: Current_Date"]),
        ('"""Not SQL: now() in a docstring."""\nrun.now', []),
        ("at.date()", []),
    ],
)
def test_readings_of_the_clock_are_found(source: str, found: list[str]) -> None:
    assert rules.clock_reads(source) == found


def test_there_is_no_float_where_amounts_are() -> None:
    assert not offences(rules.floats, files(*EXACT))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("x = 0.1", ["1: 0.1"]),
        ("x = float(y)", ["1: float"]),
        ("def f(x: float) -> None: ...", ["1: float"]),
        ("a = models.FloatField()", ["1: FloatField"]),
        ("x = Decimal('0.1') + 1", []),
    ],
)
def test_floats_are_found(source: str, found: list[str]) -> None:
    assert rules.floats(source) == found


def test_only_operations_write() -> None:
    assert not offences(
        rules.writes, [path for path in rules.modules(*rules.APPS) if rules.layer(path) not in {"models", "operations"}]
    )
    assert not offences(
        rules.orm_writes, [path for path in rules.modules(*rules.APPS) if rules.layer(path) == "models"]
    )


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("run.save()", ["1: .save()"]),
        ("Invoice.objects.create(a=1)", ["1: .create()"]),
        ("Invoice.objects.filter(a=1).update(b=2)", ["1: .update()"]),
        ("a.update(**changes)", ["1: .update()"]),
        ("invoice.delete()", ["1: .delete()"]),
        ("Invoice.objects.bulk_create(rows)", ["1: .bulk_create()"]),
        ("Invoice.objects.get_or_create(a=1)", ["1: .get_or_create()"]),
        ("cursor.execute('DELETE FROM invoice')", ["1: DELETE FROM"]),
        ("SQL = '''\nWITH x AS (INSERT INTO\n a VALUES (1))'''", ["1: INSERT INTO"]),
        ("digest.update(block)\ncache.delete(key)\nsettings.update({'a': 1})", []),
        ("super().save(*args)", []),
        ('def f():\n    """UPDATE a SET b."""', []),
    ],
)
def test_writes_are_found(source: str, found: list[str]) -> None:
    assert rules.writes(source) == found


def test_files_and_functions_are_short() -> None:
    assert not offences(rules.too_long, rules.modules(*rules.APPS, "config", "tests", "bench"))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("x = 1\n" * 400, ["400 lines"]),
        ("x = 1\n" * 399, []),
        ("class A:\n    def f(self):\n" + "        x = 1\n" * 49, ["2: f has 50 lines"]),
        ("def f():\n" + "    x = 1\n" * 48, []),
    ],
)
def test_long_files_and_functions_are_found(source: str, found: list[str]) -> None:
    assert rules.too_long(source) == found


def test_migrations_import_no_code_that_may_change_under_them() -> None:
    migrations = sorted(path for app in rules.APPS for path in (rules.ROOT / app / "migrations").glob("0*.py"))
    assert not offences(lambda source: rules.app_imports(source, allowed=MIGRATIONS_MAY_IMPORT), migrations)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from usage.operations import imports", ["1: usage.operations"]),
        ("import catalog.choices", ["1: catalog.choices"]),
        ("from .. import models", ["1: .."]),
        ("import catalog.models.fields\nfrom django.db import models", []),
    ],
)
def test_imports_of_our_own_code_are_found(source: str, found: list[str]) -> None:
    assert rules.app_imports(source, allowed=MIGRATIONS_MAY_IMPORT) == found


def test_no_module_is_a_drawer() -> None:
    paths = [str(path.relative_to(rules.ROOT)) for path in rules.modules(*rules.APPS, "config", "tests", "bench")]
    assert paths
    assert not [path for path in paths if rules.drawers(path)]


@pytest.mark.parametrize("path", ["billing/utils.py", "usage/helpers/dates.py", "tests/common.py"])
def test_drawers_are_found(path: str) -> None:
    assert rules.drawers(path)


def misplaced_tests(paths: list[str]) -> list[str]:
    """Test modules outside the folder of an app and of what belongs to no one app."""
    return [path for path in paths if path.split("/")[1] not in {*rules.APPS, *TEST_FOLDERS}]


def test_tests_are_where_what_they_test_is() -> None:
    paths = [str(path.relative_to(rules.ROOT)) for path in (rules.ROOT / "tests").rglob("test_*.py")]
    assert not misplaced_tests(paths)
    assert misplaced_tests(["tests/rating/test_x.py", "tests/test_x.py", "tests/usage/test_x.py"]) == [
        "tests/rating/test_x.py",
        "tests/test_x.py",
    ]
