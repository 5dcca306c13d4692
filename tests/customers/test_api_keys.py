"""API keys: making, storing, revoking, and the command."""

import hashlib
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from customers.models import ApiKey
from customers.operations.api_keys import ApiKeyRefused, create_api_key, revoke_api_key
from customers.queries.api_keys import api_key_by_text
from tests.factories.customers import CustomerFactory, UserFactory

pytestmark = pytest.mark.django_db


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("create_api_key", *arguments, stdout=out)
    return out.getvalue()


def test_the_text_of_a_key_is_stored_nowhere() -> None:
    api_key, text = create_api_key(scopes=["read"], customer_id=CustomerFactory().id, name="ERP")
    stored = ApiKey.objects.values().get()

    assert text.startswith("tb_")
    assert len(text) == 46  # tb_ and 32 random bytes in base64
    assert text not in map(str, stored.values())
    assert stored["prefix"] == text[:10]
    assert stored["key_sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert api_key_by_text(text) == api_key
    assert api_key_by_text(text + "x") is None


def test_two_keys_differ() -> None:
    customer = CustomerFactory()
    assert (
        create_api_key(scopes=["read"], customer_id=customer.id)[1]
        != (create_api_key(scopes=["read"], customer_id=customer.id)[1])
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scopes": ["admin"]}, "There is no scope admin: choose from read, write, usage:write, billing:run."),
        ({"scopes": []}, "A key needs a scope: choose from read, write, usage:write, billing:run."),
        ({"scopes": ["read"]}, "A key belongs to a user or to a customer: choose one."),
        ({"scopes": ["read"], "user_id": 1, "customer_id": 1}, "A key belongs to a user or to a customer: choose one."),
        ({"scopes": ["read"], "customer_id": 0}, "There is no customer with the id 0."),
        ({"scopes": ["read"], "user_id": 0}, "There is no user with the id 0."),
    ],
)
def test_refusals_are_sentences(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ApiKeyRefused, match=f"^{message}$"):
        create_api_key(**arguments)
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("state", [{"is_staff": False}, {"is_active": False}])
def test_only_active_staff_gets_a_key(state: dict[str, bool]) -> None:
    user = UserFactory(username="guest", **state)
    with pytest.raises(ApiKeyRefused, match="The user guest is not active staff"):
        create_api_key(scopes=["read"], user_id=user.id)


def test_revoking_twice_keeps_the_first_time(now: datetime) -> None:
    api_key, _ = create_api_key(scopes=["read"], customer_id=CustomerFactory().id)
    revoke_api_key(api_key_id=api_key.id, at=now)
    assert revoke_api_key(api_key_id=api_key.id, at=now + timedelta(days=1)).revoked_at == now


def test_the_command_prints_the_key_alone() -> None:
    customer = CustomerFactory(account_number="ACME-1")
    text = command("--customer", "ACME-1")
    api_key = api_key_by_text(text.removesuffix("\n"))

    assert text.count("\n") == 1
    assert api_key is not None
    assert (api_key.customer, api_key.user, api_key.scopes, api_key.expires_at) == (customer, None, ["read"], None)


def test_the_command_gives_a_user_all_scopes_unless_told() -> None:
    user = UserFactory(username="clerk")
    everything = api_key_by_text(command("--user", "clerk").strip())
    some = api_key_by_text(command("--user", "clerk", "--scopes", "usage:write,read", "--name", "Switch").strip())

    assert everything is not None
    assert (everything.user, everything.scopes) == (user, ["read", "write", "usage:write", "billing:run"])
    assert some is not None
    assert (some.scopes, some.name) == (["read", "usage:write"], "Switch")


def test_the_command_sets_the_end() -> None:
    CustomerFactory(account_number="ACME-1")
    api_key = api_key_by_text(
        command("--customer", "ACME-1", "--scopes", "read", "write", "--expires-in-days", "7").strip()
    )

    assert api_key is not None
    assert api_key.expires_at is not None
    assert timedelta(days=6, hours=23) < api_key.expires_at - timezone.now() <= timedelta(days=7)
    assert api_key.expires_at.tzinfo == UTC


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--user", "nobody"], "There is no user named nobody."),
        (["--customer", "NONE-1"], "There is no customer with the account number NONE-1."),
        (["--user", "clerk", "--scopes", "all"], "There is no scope all: choose from"),
        (["--user", "clerk", "--expires-in-days", "0"], "A key is good for one day or more, not for 0."),
        (["--user", "clerk", "--expires-in-days", "999999999"], "999999999 days are past the end of the calendar."),
        (["--user", "clerk", "--name", "n" * 101], "The name is longer than 100 characters."),
        (["--user", "clerk", "--customer", "ACME-1"], "not allowed with argument --user"),
        ([], "one of the arguments --user --customer is required"),
    ],
)
def test_the_command_refuses_in_a_sentence(arguments: list[str], message: str) -> None:
    UserFactory(username="clerk")
    with pytest.raises(CommandError, match=message):
        command(*arguments)
    assert not ApiKey.objects.exists()
