"""What pages of pictures show, and what is behind it."""

import json
from typing import Any

from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from billing.admin.pictures import Picture
from tests import factories

FEBRUARY = {"period": "own", "from_day": "2026-02-01", "to_day": "2026-02-28"}


def pictures(client: Client, name: str, **asked: Any) -> dict[str, Picture]:
    """The pictures of a page by their keys: of February 2026, where nothing else is said."""
    response = client.get(reverse("dashboard", args=[name]), FEBRUARY | asked)
    assert response.status_code == 200
    return {picture.key: picture for picture in response.context["pictures"]}


def table(picture: Picture) -> list[tuple[str, ...]]:
    return [(row.label, *row.cells) for row in picture.rows]


def bars(picture: Picture) -> dict[str, str]:
    """The first series of the chart: what stands below each bar, and its value."""
    assert picture.chart is not None
    data = json.loads(picture.chart.data)
    return dict(zip(data["labels"], map(str, data["datasets"][0]["data"]), strict=True))


def behind(client: Client, url: str) -> int:
    """How many rows the list at the address has."""
    response = client.get(url)
    assert response.status_code == 200
    return len(response.context["cl"].result_list)


def client_who_may(*codenames: str) -> Client:
    user = factories.UserFactory()
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def listed(client: Client, url: str) -> list[Any]:
    response = client.get(url)
    assert response.status_code == 200
    return list(response.context["cl"].result_list)
