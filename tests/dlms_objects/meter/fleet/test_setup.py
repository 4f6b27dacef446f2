"""Making a fleet: whole or not there, the same for the same seed, whatever files it is in."""

import shutil
import stat
from contextlib import ExitStack, closing

import pytest

from dlms_objects.classes.catalogue import Role
from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.database import MeterDatabase
from dlms_objects.meter.fleet import setup
from dlms_objects.meter.fleet.config import FaultsConfig
from dlms_objects.meter.fleet.identity import LARGEST_FLEET, FleetIdentity
from dlms_objects.meter.fleet.setup import create, key_ring, store_files, write_faults
from dlms_objects.meter.store import MeterStore
from dlms_objects.program_folder import AlreadyThereError
from dlms_objects.transport.credentials import KeyFiles
from tests.support.fleets import new_fleet, read_config, read_faults

MANY = 10_000


def contents(folder):
    """What every meter's store holds, in the order of their numbers."""
    config, held = read_config(folder), []
    with ExitStack() as files:
        for path, numbers in store_files(config.store, config.stores, config.meters):
            database = files.enter_context(closing(MeterDatabase.open(path)))
            assert database.numbers() == list(range(1, len(numbers) + 1))
            for number in database.numbers():
                store = MeterStore(database, number)
                rows, events = store.rows(1, MANY, MANY), store.events(1, MANY, MANY)
                held.append((store.serial_number(), store.state(), store.keys(), rows, events))
    return held


@pytest.mark.parametrize("together", [1, 2, 100])
def test_a_seed_makes_the_same_fleet_whatever_files_it_is_in_and_however_it_is_made(tmp_path, monkeypatch, together):
    create(tmp_path / "shared", new_fleet(meters=5, top_ups=4))
    monkeypatch.setattr(setup, "TOGETHER", together)
    create(tmp_path / "own", new_fleet(meters=5, top_ups=4, stores="own"))
    create(tmp_path / "again", new_fleet(meters=5, top_ups=4))
    held = contents(tmp_path / "shared")
    assert contents(tmp_path / "own") == contents(tmp_path / "again") == held
    assert [len(rows) for _, _, _, rows, _ in held] == [4] * 5
    identity = FleetIdentity(7)
    assert [state.title for _, state, *_ in held] == [identity.title(number) for number in range(1, 6)]


def test_the_key_rings_open_every_meter_and_are_private(tmp_path):
    create(tmp_path / "fleet", new_fleet(meters=130))
    identity, files = FleetIdentity(7), KeyFiles()
    for role in (Role.READER, Role.MANAGEMENT):
        path = key_ring(tmp_path / "fleet", role)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        for credentials in identity.credentials(role, 130):
            assert files.credentials(path, credentials.system_title) == credentials


@pytest.mark.parametrize("left", ["fleet.toml", "fleet.sqlite", "keys"])
def test_a_fleet_or_a_part_of_one_is_never_overwritten(tmp_path, left):
    folder = tmp_path / "fleet"
    create(folder, new_fleet())
    for path in folder.iterdir():
        if path.name != left:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(AlreadyThereError, match="nothing was changed"):
        create(folder, new_fleet())
    assert [path.name for path in folder.iterdir()] == [left]


def test_a_fleet_whose_making_broke_off_is_none(tmp_path, monkeypatch):
    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(setup, "write_faults", broken)
    with pytest.raises(KeyboardInterrupt):
        create(tmp_path / "fleet", new_fleet())
    assert not (tmp_path / "fleet" / "fleet.toml").exists()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"meters": 0}, "not 0"),
        ({"meters": LARGEST_FLEET + 1}, "run several on several ports"),
        ({"top_ups": 10_000}, "fewer than 10000"),
        ({"top_ups": -1}, "not -1"),
    ],
)
def test_a_fleet_that_cannot_be_is_refused_and_says_what_to_do(wrong, words):
    with pytest.raises(InvalidValueError, match=words):
        new_fleet(**wrong)


def test_a_zone_that_is_none_is_refused_before_anything_is_made(tmp_path):
    with pytest.raises(InvalidValueError, match="Mars"):
        create(tmp_path / "fleet", new_fleet(time_zone="Mars/Olympus"))
    assert not (tmp_path / "fleet").exists()


@pytest.mark.parametrize(
    "faults", [FaultsConfig(), FaultsConfig(seed=9, saps={3, 1}, drop=0.25, corrupt=0.5, refuse=1, away_s=7.5)]
)
def test_faults_are_read_as_they_were_written(tmp_path, faults):
    path = tmp_path / "faults.toml"
    write_faults(path, faults)
    assert read_faults(path) == faults
    write_faults(path, FaultsConfig(restart=0.5))
    assert read_faults(path) == FaultsConfig(restart=0.5)
    assert list(tmp_path.iterdir()) == [path]
