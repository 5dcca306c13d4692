import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.factories import UserFactory


@pytest.fixture
def viewer(db: None) -> User:
    """A member of staff who may look at everything and change nothing."""
    user = UserFactory()
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return user


@pytest.fixture
def viewer_client(viewer: User) -> Client:
    """A browser in which `viewer` is logged in."""
    client = Client()
    client.force_login(viewer)
    return client
