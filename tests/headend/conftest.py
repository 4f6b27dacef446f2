"""Fixtures of the head-end's tests: whatever needs a database runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from headend.place import Place
from tests.support.headend_books import books
from tests.support.ledgers import KINDS, Ledgers
from tests.support.ledgers import ledgers as made_ledgers


@pytest.fixture(scope="session", params=KINDS)
def ledgers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledgers]:
    """Where databases come from."""
    with made_ledgers(request.param, tmp_path_factory.mktemp("headend")) as made:
        yield made


@pytest.fixture
def empty(ledgers: Ledgers) -> Place:
    """A database without tables."""
    return ledgers.empty()


@pytest.fixture
def fresh(ledgers: Ledgers) -> Place:
    """A database with two meters, to be worked on."""
    return ledgers.copy()


@pytest.fixture(scope="session")
def migrated(ledgers: Ledgers) -> Place:
    """A database with two meters; to be left as it is."""
    return ledgers.migrated


@pytest.fixture
def connection(migrated: Place) -> Iterator[Connection]:
    """A connection whose work is undone after the test."""
    with books(migrated) as connection:
        yield connection
