"""Keys rest sealed, go to their gateway alone, and are replaced so that nobody is locked out."""

import json
from pathlib import Path

import pytest
from pyrage import decrypt, x25519
from sqlalchemy import Connection, select

from dlms_objects.transport.credentials import MasterKey, MeterCredentials
from dlms_objects.wire.key_wrap import unwrap_key
from headend.command_kinds import CommandKind
from headend.commands import Result, State, hand_out, take_result
from headend.meter_keys import MeterKeyError, count, released, rotate, states, store, tell_recipient, transferred
from headend.root_key import RootKey, create
from headend.schema_commands import meter_key
from tests.support.headend_books import TITLE, UNKNOWN_TITLE
from tests.support.headend_commands import ID, NOW, OPERATOR, gateway

KEYS = MeterCredentials(
    system_title=TITLE, client_sap=2, server_sap=1, encryption_key=b"e" * 16, authentication_key=b"a" * 16
)
MASTER = MasterKey(system_title=TITLE, key=b"m" * 16)
HOLDER = x25519.Identity.generate()


@pytest.fixture
def root(tmp_path: Path) -> RootKey:
    """A root key."""
    create(tmp_path / "root.key")
    return RootKey.load(tmp_path / "root.key")


@pytest.fixture
def kept(connection: Connection, root: RootKey) -> Connection:
    """The reader's keys and the master key of the first meter are kept."""
    for keys in (KEYS, MASTER):
        store(connection, root, keys, now=NOW)
    return connection


def unwrapped(octets: bytes | None) -> list[dict[str, object]]:
    assert octets is not None
    keys: list[dict[str, object]] = json.loads(decrypt(octets, [HOLDER]))["keys"]
    return keys


def test_keys_rest_sealed_and_the_same_again_changes_nothing(kept: Connection, root: RootKey) -> None:
    store(kept, root, KEYS, now=NOW)
    rows = kept.execute(select(meter_key)).all()
    assert [(row.role, row.generation, row.state) for row in rows] == [
        ("reader", 1, "in_force"),
        ("master", 1, "in_force"),
    ]
    for row in rows:
        for secret in (b"e" * 16, b"a" * 16, b"m" * 16):
            assert secret not in row.sealed
            assert secret.hex().encode() not in row.sealed
    assert [each.state for each in states(kept, OPERATOR, root, str(TITLE))] == ["in_force", "in_force"]


def test_they_go_to_the_meters_gateway_alone_and_wrapped_for_it(kept: Connection, root: RootKey) -> None:
    north, south = gateway(kept), gateway(kept, "south", meters=False)
    with pytest.raises(MeterKeyError, match="has not told"):
        released(kept, north, root, str(TITLE))
    with pytest.raises(MeterKeyError, match="not an age recipient"):
        tell_recipient(kept, north, "age1nonsense", now=NOW)
    for each in (north, south):
        tell_recipient(kept, each, str(HOLDER.to_public()), now=NOW)
    (keys,) = unwrapped(released(kept, north, root, str(TITLE)))
    assert (keys["role"], keys["encryption_key"], keys["client_sap"]) == ("reader", KEYS.encryption_key.hex(), 2)
    assert "master_key" not in keys
    assert released(kept, south, root, str(TITLE)) is None


def test_a_replacement_is_kept_first_released_beside_the_old_and_in_force_when_confirmed(
    kept: Connection, root: RootKey
) -> None:
    north = gateway(kept)
    tell_recipient(kept, north, str(HOLDER.to_public()), now=NOW)
    made = rotate(kept, OPERATOR, root, str(TITLE), "reader", command_id=ID, now=NOW)
    assert made.kind is CommandKind.KEY_TRANSFER
    old, new = unwrapped(released(kept, north, root, str(TITLE)))
    assert (old["state"], new["state"]) == ("in_force", "wanted")
    sent = {each["key_id"]: bytes.fromhex(each["key_wrapped"]) for each in made.parameters["keys"]}
    assert (
        unwrap_key(MASTER.key, sent["global_unicast_encryption_key"]).hex()
        == new["encryption_key"]
        != old["encryption_key"]
    )
    again = rotate(kept, OPERATOR, root, str(TITLE), "reader", command_id="02" * 16, now=NOW)
    assert again.parameters == made.parameters
    for number, (state, left) in enumerate([(State.REFUSED, 2), (State.CONFIRMED, 1)]):
        hand_out(kept, north, now=NOW)
        result = Result(state=state, reason=None, answer={})
        taken = take_result(kept, north, (made, again)[number].command_id, result, now=NOW)
        assert taken is not None
        transferred(kept, taken, now=NOW)
        assert len(unwrapped(released(kept, north, root, str(TITLE)))) == left
    (last,) = unwrapped(released(kept, north, root, str(TITLE)))
    assert (last["encryption_key"], last["state"], last["generation"]) == (new["encryption_key"], "in_force", 2)


def test_counters_go_up_only(kept: Connection, root: RootKey) -> None:
    north = gateway(kept)
    for counter in (5, 3):
        assert count(kept, north, str(TITLE), "reader", counter)
    assert [each.invocation_counter for each in states(kept, OPERATOR, root, str(TITLE))] == [0, 5]
    assert not count(kept, gateway(kept, "south", meters=False), str(TITLE), "reader", 9)


def test_what_cannot_be_is_refused(connection: Connection, root: RootKey) -> None:
    stranger = MasterKey(system_title=UNKNOWN_TITLE, key=b"m" * 16)
    with pytest.raises(MeterKeyError, match="is not registered"):
        store(connection, root, stranger, now=NOW)
    with pytest.raises(MeterKeyError, match="are not kept here"):
        rotate(connection, OPERATOR, root, str(TITLE), "reader", command_id=ID, now=NOW)
