"""A filled ledger for the tests of verification."""

from pathlib import Path

import pytest

from headend.place import Place
from headend.root_key import RootKey, create
from tests.support.damages import fill


@pytest.fixture
def root(tmp_path: Path) -> RootKey:
    """A root key."""
    create(tmp_path / "root.key")
    return RootKey.load(tmp_path / "root.key")


@pytest.fixture
def filled(fresh: Place, root: RootKey) -> Place:
    """An undamaged ledger with something of everything, whose keys `root` opens."""
    fill(fresh, root)
    return fresh
