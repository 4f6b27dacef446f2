"""The PIN: kept as a hash only, and guessed no faster after a restart or a power cut."""

import stat

import pytest

from dlms_objects.errors import InvalidValueError
from dlms_objects.meter import panel_pin
from dlms_objects.meter.panel_pin import FIRST_LOCK_S, FREE_FAILURES, LONGEST_LOCK_S, PinHash, PinKeeper
from dlms_objects.meter.store import StorageError

PIN, WRONG = "270614", "270615"


class Kept:
    """What a store keeps, in memory; `broken` keeps nothing."""

    def __init__(self):
        self.values, self.broken = {}, False

    def kept(self, name):
        return self.values.get(name)

    def keep(self, values, events):
        if self.broken:
            raise StorageError("disk full")
        assert list(events) == []
        self.values.update(values)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(panel_pin, "_COST", {"n": 2, "r": 1, "p": 1})


@pytest.fixture
def store():
    return Kept()


@pytest.fixture
def pin():
    return PinHash.of(PIN)


@pytest.fixture
def keeper(pin, store):
    return PinKeeper(pin, store)


@pytest.mark.parametrize("wrong", ["", "12345", "1234567890123", "12345a", "１２３４５６", "123456\n"])
def test_what_is_no_pin_is_refused(wrong):
    with pytest.raises(InvalidValueError, match="6 to 12 digits"):
        PinHash.of(wrong)


def test_the_file_holds_the_hash_for_its_owner_alone(tmp_path, pin):
    path = tmp_path / "panel.pin"
    for _ in range(2):  # a second PIN takes the place of the first
        pin.save(path)
        assert PinHash.load(path) == pin
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert PIN not in path.read_text()
    assert [child.name for child in tmp_path.iterdir()] == ["panel.pin"]


def test_no_file_is_no_pin(tmp_path):
    assert PinHash.load(tmp_path / "panel.pin") is None


@pytest.mark.parametrize("octets", [b"", b"270614\n", b"\xff\xfe"])
def test_a_file_that_holds_no_hash_is_told_with_what_to_do(tmp_path, octets):
    path = tmp_path / "panel.pin"
    path.write_bytes(octets)
    with pytest.raises(InvalidValueError, match=r"panel\.pin: no PIN .* meterpurse meter panel-pin"):
        PinHash.load(path)


def test_the_same_pin_has_another_hash_each_time(pin):
    assert PinHash.of(PIN) != pin


def test_the_right_pin_is_right_and_another_is_not(keeper):
    assert keeper.has_pin
    assert keeper.is_right(PIN, 0)
    assert not keeper.is_right(WRONG, 0)


def test_without_a_pin_none_is_right(store):
    keeper = PinKeeper(None, store)
    assert not keeper.has_pin
    assert not keeper.is_right(PIN, 0)
    assert store.values == {}


def test_each_wrong_pin_beyond_the_first_locks_twice_as_long(keeper):
    now_s, locks = 1000.0, []
    for _ in range(FREE_FAILURES + 9):
        assert not keeper.is_right(WRONG, now_s)
        locks.append(keeper.locked_s(now_s))
        now_s += locks[-1]
    doubled = [min(FIRST_LOCK_S * 2**n, LONGEST_LOCK_S) for n in range(9)]
    assert locks == [0] * FREE_FAILURES + doubled
    assert locks[-1] == LONGEST_LOCK_S
    assert keeper.is_right(PIN, now_s)
    assert keeper.locked_s(now_s) == 0


def lock(keeper, now_s=1000.0):
    for _ in range(FREE_FAILURES + 1):
        keeper.is_right(WRONG, now_s)


def test_while_locked_even_the_right_pin_is_not_tried(keeper):
    lock(keeper)
    assert not keeper.is_right(PIN, 1000 + FIRST_LOCK_S - 1)
    assert keeper.is_right(PIN, 1000 + FIRST_LOCK_S)


def test_a_restart_forgets_no_failure(keeper, pin, store):
    lock(keeper)
    again = PinKeeper(pin, store)
    assert again.locked_s(1010.0) == FIRST_LOCK_S - 10


def test_an_attempt_is_counted_before_it_is_tried(keeper, pin, store, monkeypatch):
    def power_cut(*_):
        raise SystemExit

    monkeypatch.setattr(PinHash, "matches", power_cut)
    for _ in range(FREE_FAILURES + 1):
        with pytest.raises(SystemExit):
            PinKeeper(pin, store).is_right(PIN, 1000.0)
    assert PinKeeper(pin, store).locked_s(1000.0) == FIRST_LOCK_S


def test_an_attempt_that_cannot_be_counted_is_not_tried(keeper, store):
    store.broken = True
    with pytest.raises(StorageError):
        keeper.is_right(PIN, 0)


def test_a_new_pin_begins_with_no_failures(keeper, store):
    lock(keeper)
    assert PinKeeper(PinHash.of(PIN), store).locked_s(1000.0) == 0


def test_a_host_clock_that_goes_back_does_not_lock_for_years(keeper):
    lock(keeper, 2_000_000_000.0)
    assert keeper.locked_s(1_000_000_000.0) == FIRST_LOCK_S
    assert keeper.locked_s(1_000_000_000.0 + FIRST_LOCK_S) == 0
