from collections.abc import Iterable
from pathlib import Path

from django.apps import apps
from django.db.models import ForeignKey, ManyToManyField, Model

from tests.architecture.rules import APPS, ROOT

MODEL_TESTS = [path for app in APPS for path in (ROOT / "tests" / app).glob("test_*.py")]
# What composite foreign keys refer to: unique already because the id is, so that no row can breach them.
REFERRED_TO = {"customer_with_its_currency", "subscription_with_its_customer"}


def own_models() -> list[type[Model]]:
    """The models of our apps, without those of history."""
    return [model for app in APPS for model in apps.get_app_config(app).get_models() if "pgh_id" not in columns(model)]


def columns(model: type[Model]) -> set[str | None]:
    return {field.column for field in model._meta.concrete_fields}


def upward(references: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """References from an app to one above it, given as pairs of app labels."""
    return [(origin, target) for origin, target in references if APPS.index(origin) > APPS.index(target)]


def test_foreign_keys_point_down_the_order_of_apps() -> None:
    references = [
        (model._meta.app_label, field.related_model._meta.app_label)
        for model in own_models()
        for field in [*model._meta.get_fields()]
        if isinstance(field, ForeignKey | ManyToManyField) and field.related_model._meta.app_label in APPS
    ]
    assert ("billing", "catalog") in references
    assert not upward(references)


def test_a_foreign_key_that_points_up_is_found() -> None:
    assert upward([("billing", "catalog"), ("usage", "usage"), ("usage", "invoicing")]) == [("usage", "invoicing")]


def untested(names: Iterable[str], tests: Iterable[Path]) -> list[str]:
    """Names that none of the tests says."""
    said = "\n".join(path.read_text() for path in tests)
    return sorted(name for name in names if name not in said)


def test_every_constraint_has_a_test_that_names_it() -> None:
    names = {constraint.name for model in own_models() for constraint in model._meta.constraints}
    assert names > REFERRED_TO
    assert not untested(names - REFERRED_TO, MODEL_TESTS)


def test_a_constraint_without_a_test_is_found() -> None:
    names = ["no_such_constraint", "run_account_waits_in_one_run"]
    assert untested(names, MODEL_TESTS) == ["no_such_constraint"]


def test_no_column_is_a_binary_float() -> None:
    kinds = {field.get_internal_type() for model in own_models() for field in model._meta.concrete_fields}
    assert "DecimalField" in kinds
    assert "FloatField" not in kinds
