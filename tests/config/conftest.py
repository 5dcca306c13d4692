"""Places for own servers, apart from those of this checkout, and made quickly from one data folder."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.checkout import Place
from config.embedded import own

MakePlace = Callable[..., Place]


@pytest.fixture(scope="session")
def data_folder() -> Iterator[Path]:
    """A folder of a PostgreSQL that was made, and stopped."""
    with tempfile.TemporaryDirectory(prefix="tollbook-") as folder:
        place = Place(Path(folder, ".local"))
        own.ensure(place, database=True, broker=False)
        own.stop(place)
        yield place.postgres_data


@pytest.fixture
def make_place(data_folder: Path) -> Iterator[MakePlace]:
    """Make places, with a data folder or without; what runs there is stopped after the test."""
    made: list[Place] = []

    with tempfile.TemporaryDirectory(prefix="tollbook-") as folder:

        def make(name: str = "checkout", *, has_data: bool = True) -> Place:
            place = Place(Path(folder, name, ".local"))
            place.make()
            if has_data:
                shutil.copytree(data_folder, place.postgres_data)
            made.append(place)
            return place

        yield make
        for place in made:
            own.stop(place)
            shutil.rmtree(place.sockets, ignore_errors=True)


@pytest.fixture
def place(make_place: MakePlace) -> Place:
    """A place where nothing runs yet."""
    return make_place()
