"""Fixtures of the head-end's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.support.headend_books import books, make_database


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with two meters; to be left as it is."""
    return make_database(tmp_path_factory.mktemp("headend") / "headend.sqlite")


@pytest.fixture
def connection(migrated: Path) -> Iterator[Connection]:
    """A connection whose work is undone after the test."""
    with books(migrated) as connection:
        yield connection
