"""A client's identity: its own title, kept for ever, and counters that several processes may draw from."""

import stat
from dataclasses import replace

import pytest

from dlms_objects.transport.client_identity import IdentityError, identity_path, load_identity
from dlms_objects.transport.credentials import MeterCredentials
from dlms_objects.values.system_title import SystemTitle

METER = SystemTitle(b"MPR\x00\x00\x00\x00\x01")
CREDENTIALS = MeterCredentials(
    system_title=METER, client_sap=1, server_sap=1, encryption_key=bytes(range(16, 32)), authentication_key=bytes(16)
)


@pytest.fixture
def path(tmp_path):
    return identity_path(tmp_path / "management.toml")


def test_an_identity_lies_beside_its_key_file(tmp_path, path):
    assert path == tmp_path / "management.identity.sqlite"


def test_the_first_use_makes_a_private_file_and_later_uses_keep_the_title(path):
    first = load_identity(path, CREDENTIALS)
    assert first.system_title.octets[:3] == b"MPC"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_identity(path, CREDENTIALS).system_title == first.system_title


def test_two_identities_have_two_titles(path, tmp_path):
    other = load_identity(tmp_path / "other.sqlite", CREDENTIALS)
    assert load_identity(path, CREDENTIALS).system_title != other.system_title


def test_processes_that_share_an_identity_share_no_counter(path):
    identities = [load_identity(path, CREDENTIALS) for _ in range(3)]
    drawn = [identity.counters.sent.next() for _ in range(100) for identity in identities]
    assert len(set(drawn)) == len(drawn) == 300


def test_received_counters_are_kept_per_meter_and_client(path):
    load_identity(path, CREDENTIALS).counters.received.accept(METER, 9)
    assert load_identity(path, CREDENTIALS).counters.received.highest(METER) == 9
    reader = MeterCredentials(
        system_title=METER, client_sap=2, server_sap=1, encryption_key=bytes(range(1, 17)), authentication_key=bytes(16)
    )
    assert load_identity(path, reader).counters.received.highest(METER) is None


def test_a_new_key_has_counters_of_its_own_and_the_old_one_keeps_its(path):
    load_identity(path, CREDENTIALS).counters.received.accept(METER, 9)
    renewed = replace(CREDENTIALS, encryption_key=b"N" * 16)
    assert load_identity(path, renewed).counters.received.highest(METER) is None
    assert load_identity(path, CREDENTIALS).counters.received.highest(METER) == 9
    assert load_identity(path, replace(CREDENTIALS, authentication_key=b"A" * 16)).counters.received.highest(METER) == 9


def test_counters_do_not_show_in_repr(path):
    assert "counters" not in repr(load_identity(path, CREDENTIALS))


@pytest.mark.parametrize(
    "spoil",
    [lambda path: path.write_text("not a database" * 100), lambda path: path.mkdir()],
    ids=["text", "a folder"],
)
def test_a_file_that_is_no_identity_is_one_clear_error(path, spoil):
    spoil(path)
    with pytest.raises(IdentityError, match="cannot be used as the identity of a client"):
        load_identity(path, CREDENTIALS)


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path):
    with pytest.raises(IdentityError):
        load_identity(tmp_path / "nowhere" / "management.identity.sqlite", CREDENTIALS)
