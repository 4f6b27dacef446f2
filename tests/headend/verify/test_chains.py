"""Every kind of damage to entries, postings and heads is found."""

import pytest
from sqlalchemy import Connection, text

from headend.place import Place
from headend.root_key import RootKey
from headend.verify.whole import verify
from tests.support.damages import CHAIN_DAMAGES, Damage, damage


@pytest.mark.parametrize("planted", CHAIN_DAMAGES, ids=lambda planted: planted.name)
def test_damage_is_found_and_named(filled: Place, root: RootKey, planted: Damage) -> None:
    damage(filled, planted.plant)
    found = verify(filled, root).findings
    said = [str(each) for each in found.kept]
    assert any(each.kind == planted.kind and planted.words in each.what for each in found.kept), said


def test_the_meters_beside_a_lost_one_are_still_followed(filled: Place, root: RootKey) -> None:
    whole = verify(filled, root)

    def lose_the_first(connection: Connection) -> None:
        connection.execute(text("DELETE FROM meter WHERE id = 1"))

    damage(filled, lose_the_first)
    found = verify(filled, root)
    assert 0 < found.entries < whole.entries
    assert {each.kind for each in found.findings.kept} == {"reference", "account"}
