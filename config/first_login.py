"""The staff login that a new installation starts with."""

import secrets

from django.contrib.auth import get_user_model

FIRST_LOGIN = "admin"


def create_first_login() -> str | None:
    """Make the superuser `admin` where there is no user yet; the generated password, or None where nothing was made.

    Any user counts: who removed or renamed `admin` does not get another one behind their back.
    """
    users = get_user_model().objects
    if users.exists():
        return None
    password = secrets.token_urlsafe(12)
    users.create_superuser(username=FIRST_LOGIN, email="", password=password)
    return password
