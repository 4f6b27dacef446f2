"""Every kind of damage to the whole of the books is found."""

import pytest

from headend.place import Place
from headend.root_key import RootKey
from headend.verify.whole import verify
from tests.support.damages import BOOK_DAMAGES, Damage, damage


@pytest.mark.parametrize("planted", BOOK_DAMAGES, ids=lambda planted: planted.name)
def test_damage_is_found_and_named(filled: Place, root: RootKey, planted: Damage) -> None:
    damage(filled, planted.plant)
    found = verify(filled, root).findings
    said = [str(each) for each in found.kept]
    assert any(each.kind == planted.kind and planted.words in each.what for each in found.kept), said
