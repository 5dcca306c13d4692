"""`manage.py create_api_key`: make a key of the REST APIs and print it, alone, on standard output."""

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from customers.choices import Scope
from customers.models import Customer
from customers.operations.api_keys import ApiKeyRefused, create_api_key


class Command(BaseCommand):
    help = "Make an API key for a staff user or a customer. Prints the key alone; it is shown this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        owner = parser.add_mutually_exclusive_group(required=True)
        owner.add_argument("--user", metavar="NAME", help="A staff user: the key sees what the user may see.")
        owner.add_argument("--customer", metavar="ACCOUNT_NUMBER", help="A customer: the key sees that one only.")
        parser.add_argument(
            "--scopes",
            nargs="+",
            metavar="SCOPE",
            help=f"From {', '.join(Scope.values)}, by spaces or commas. Default: all for a user, read for a customer.",
        )
        parser.add_argument("--expires-in-days", type=int, metavar="N", help="Default: the key does not expire.")
        parser.add_argument("--name", default="", help="What the key is for.")

    def handle(self, *_args: object, **options: Any) -> None:
        try:
            _, text = create_api_key(
                scopes=_scopes(options["scopes"], for_user=options["user"] is not None),
                user_id=_user_id(options["user"]),
                customer_id=_customer_id(options["customer"]),
                name=_name(options["name"]),
                expires_at=_expires_at(options["expires_in_days"]),
            )
        except ApiKeyRefused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(text)


def _scopes(given: list[str] | None, *, for_user: bool) -> list[str]:
    if given is None:
        return list(Scope.values) if for_user else [Scope.READ.value]
    return [scope for text in given for scope in text.split(",") if scope]


def _user_id(name: str | None) -> int | None:
    if name is None:
        return None
    model = get_user_model()
    user = model.objects.filter(**{model.USERNAME_FIELD: name}).first()
    if user is None:
        raise CommandError(f"There is no user named {name}.")
    return int(user.pk)


def _customer_id(account_number: str | None) -> int | None:
    if account_number is None:
        return None
    customer_id = Customer.objects.filter(account_number=account_number).values_list("id", flat=True).first()
    if customer_id is None:
        raise CommandError(f"There is no customer with the account number {account_number}.")
    return customer_id


def _name(name: str) -> str:
    limit = 100
    if len(name) > limit:
        raise CommandError(f"The name is longer than {limit} characters.")
    return name


def _expires_at(days: int | None) -> datetime | None:
    if days is None:
        return None
    if days < 1:
        raise CommandError(f"A key is good for one day or more, not for {days}.")
    try:
        return timezone.now() + timedelta(days=days)
    except OverflowError:
        raise CommandError(f"{days} days are past the end of the calendar.") from None
