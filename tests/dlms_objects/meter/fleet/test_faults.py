"""Faults: as likely as asked, only where asked, and the same again for the same seed, whoever else talks meanwhile."""

import pytest

from dlms_objects.meter.fleet.config import FaultsConfig
from dlms_objects.meter.fleet.faults import Fault, Faults

OF_A_MESSAGE = [Fault.DROP, Fault.DELAY, Fault.TRUNCATE, Fault.DUPLICATE, Fault.CORRUPT]
MANY = 4000


def fates(faults, sap=1, count=200):
    return [faults.of_message(sap) for _ in range(count)]


@pytest.mark.parametrize("fault", OF_A_MESSAGE)
def test_a_fault_that_is_certain_always_happens(fault):
    faults = Faults(FaultsConfig(**{fault: 1.0}))
    assert set(fates(faults)) == {fault}
    assert faults.counts == {fault: 200}


def test_each_fault_happens_as_often_as_is_likely():
    config = FaultsConfig(drop=0.1, delay=0.2, truncate=0.1, duplicate=0.15, corrupt=0.05, refuse=0.3, restart=0.25)
    faults = Faults(config)
    fates(faults, count=MANY)
    for _ in range(MANY):
        faults.is_refused(1)
        faults.restarts(1)
    for fault in Fault:
        assert faults.counts[fault] == pytest.approx(MANY * getattr(config, fault), rel=0.2)


def test_without_chances_nothing_happens():
    faults = Faults(FaultsConfig())
    assert set(fates(faults)) == {None}
    assert not faults.is_refused(1)
    assert not faults.restarts(1)
    assert faults.counts == {}


def test_the_seed_replays_what_befalls_a_meter_whatever_others_do():
    config = FaultsConfig(seed=3, drop=0.2, corrupt=0.2, restart=0.1)
    alone, among_others = Faults(config), Faults(config)
    expected = [(alone.of_message(5), alone.restarts(5)) for _ in range(100)]
    found = []
    for _ in range(100):
        among_others.of_message(6)
        found.append((among_others.of_message(5), among_others.restarts(5)))
        among_others.is_refused(7)
    assert found == expected
    assert fates(Faults(config), 5) != fates(Faults(config), 6)
    assert fates(Faults(config), 5) != fates(Faults(config.model_copy(update={"seed": 4})), 5)


def test_only_the_meters_named_have_faults():
    faults = Faults(FaultsConfig(drop=1.0, refuse=1.0, restart=1.0, saps={2, 3}))
    assert [faults.of_message(sap) for sap in (1, 2, 3)] == [None, Fault.DROP, Fault.DROP]
    assert [faults.is_refused(sap) for sap in (1, 2)] == [False, True]
    assert [faults.restarts(sap) for sap in (1, 2)] == [False, True]


def test_other_chances_hold_at_once_and_the_dice_go_on_unless_the_seed_is_another():
    config = FaultsConfig(seed=1, drop=0.5)
    faults, through = Faults(config), Faults(config)
    expected = fates(through, count=40)
    begun = fates(faults, count=20)
    faults.use(FaultsConfig(seed=1, drop=0.5, saps={1}))
    assert begun + fates(faults, count=20) == expected
    faults.use(FaultsConfig(seed=2))
    assert fates(faults) == [None] * 200
    faults.use(config)
    assert fates(faults, count=40) == expected


def test_a_truncated_message_is_a_beginning_and_a_corrupted_one_differs_in_one_octet():
    faults, octets = Faults(FaultsConfig()), bytes(range(50))
    for _ in range(300):
        cut, changed = faults.truncated(octets, 1), faults.corrupted(octets, 1)
        assert octets.startswith(cut)
        assert len(cut) < len(octets)
        assert sum(old != new for old, new in zip(octets, changed, strict=True)) == 1
