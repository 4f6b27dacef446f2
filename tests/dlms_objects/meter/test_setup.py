"""A new meter runs as it is, has keys of its own that nobody else may read, and never replaces another meter."""

import stat
from datetime import UTC, datetime

import pytest

from deploy.configuration import load
from dlms_objects.classes.catalogue import Role
from dlms_objects.errors import InvalidValueError
from dlms_objects.meter import setup
from dlms_objects.meter.config import MeterConfig, load_keys
from dlms_objects.meter.store import MeterStore
from dlms_objects.program_folder import AlreadyThereError
from dlms_objects.transport.credentials import load_client_credentials, load_courier_credentials
from dlms_objects.values.money import Currency


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_new_meter_is_a_configuration_a_store_and_a_key_file_per_ciphered_association(tmp_path):
    made = setup.create(tmp_path / "meter", currency=Currency("EUR", -2), time_zone="Europe/Berlin")
    assert names(tmp_path / "meter") == ["keys", "meter.sqlite", "meter.toml"]
    assert set(made.keys) == {Role.READER, Role.MANAGEMENT}
    store = MeterStore.open(made.store)
    state = store.state()
    assert (state.title, state.balance, state.items) == (made.system_title, 0, ())
    assert (state.currency, state.settings.time_zone) == (Currency("EUR", -2), "Europe/Berlin")
    assert (store.serial_number(), store.clock()) == (str(made.system_title), None)
    store.close()


def test_key_files_are_private_random_and_of_this_meter(tmp_path):
    first, second = (setup.create(tmp_path / name) for name in ("first", "second"))
    for path in (*first.keys.values(), first.resident, first.courier_keys):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    keys = [
        key
        for made in (first, second)
        for credentials in (
            *load_keys(made.config.parent / "keys").values(),
            load_courier_credentials(made.courier_keys),
        )
        for key in (credentials.encryption_key, credentials.authentication_key)
    ]
    keys += [load_client_credentials(made.resident).secret for made in (first, second)]
    assert len(set(keys)) == len(keys) == 14
    courier = load_courier_credentials(first.courier_keys)
    assert (courier.system_title, courier.head_end_title) == (first.system_title, setup.HEAD_END_TITLE)
    assert first.system_title != second.system_title
    assert first.system_title.octets[:3] == b"MPR"


def test_what_is_made_can_be_configured_with_a_virtual_clock(tmp_path):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made = setup.create(tmp_path / "meter", listen="[::1]:0", clock_start=start, clock_rate=3600.0)
    config = load(made.config, MeterConfig)
    assert config.clock is not None
    assert (config.listen, config.clock.start, config.clock.rate) == ("[::1]:0", start, 3600.0)


@pytest.mark.parametrize(
    ("present", "words"),
    [
        ("meter.toml", "there is a meter here already"),
        ("meter.sqlite", "part of a meter without its meter.toml: remove it if"),
        ("keys", "part of a meter without its meter.toml: remove it if"),
    ],
)
def test_a_folder_with_a_meter_or_a_part_of_one_is_left_as_it_is(tmp_path, present, words):
    (tmp_path / present).write_text("mine")
    with pytest.raises(AlreadyThereError, match=f"{present}: {words}"):
        setup.create(tmp_path)
    assert names(tmp_path) == [present]
    assert (tmp_path / present).read_text() == "mine"


@pytest.mark.parametrize("wrong", [{"time_zone": "Mars/Olympus"}, {"serial_number": "号码"}])
def test_a_meter_that_could_not_run_is_not_made(tmp_path, wrong):
    with pytest.raises(InvalidValueError):
        setup.create(tmp_path / "meter", **wrong)
    assert not (tmp_path / "meter").exists()
