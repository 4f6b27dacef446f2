"""Every guard that is missing is found."""

import pytest

from headend.database import transaction
from headend.engines import Purpose
from headend.place import Place
from headend.root_key import RootKey
from headend.verify.whole import verify
from tests.support.damages import Damage
from tests.support.guard_damages import GUARD_DAMAGES


@pytest.mark.parametrize("planted", GUARD_DAMAGES, ids=lambda planted: planted.name)
def test_a_missing_guard_is_found_and_nothing_else(filled: Place, root: RootKey, planted: Damage) -> None:
    with transaction(filled, Purpose.MIGRATE) as connection:
        planted.plant(connection)
    (found,) = verify(filled, root).findings.kept
    assert found.kind == planted.kind
    assert planted.words in found.what
