"""gateway/counters.py: no counter is sent twice, none is accepted twice, whenever the process ends."""

from pathlib import Path

import pytest

from dlms_objects.errors import LocalError
from dlms_objects.values.system_title import SystemTitle
from gateway.counters import AssociationCounters
from gateway.store import Store
from gateway.writer import Writer
from tests.support.gateway_world import inline
from tests.support.twisted_testing import result_of

TITLE = SystemTitle(b"MPR\x00\x00\x00\x00\x01")
OTHER = SystemTitle(b"MPR\x00\x00\x00\x00\x02")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "outbox.sqlite3")


@pytest.mark.parametrize("prepared", [False, True])
def test_sent_counters_never_repeat_over_restarts(store: Store, prepared: bool) -> None:
    writer = Writer(store, inline)
    sent: list[int] = []
    for taken in (1, 63, 64, 65, 200):
        counters = AssociationCounters(store, TITLE, f"{TITLE}/1")
        for _ in range(taken):
            if prepared:
                result_of(counters.prepare(writer))
            sent.append(counters.wire.sent.next())
    assert sent == sorted(set(sent))
    assert sent[-1] < 393 + 5 * 128, "a crash wastes two blocks at most"


def test_a_counter_is_durable_before_it_is_given_out(store: Store) -> None:
    counter = AssociationCounters(store, TITLE, f"{TITLE}/1").wire.sent.next()
    ((ceiling,),) = store.run(lambda connection: connection.execute("select ceiling from sent_counter").fetchall())
    assert counter <= ceiling


def test_each_key_has_counters_of_its_own(store: Store) -> None:
    first, second, third = (
        AssociationCounters(store, TITLE, f"{TITLE}/1"),
        AssociationCounters(store, TITLE, f"{TITLE}/2"),
        AssociationCounters(store, OTHER, f"{OTHER}/1"),
    )
    assert first.wire.sent.next() == second.wire.sent.next() == third.wire.sent.next()
    first.accept(TITLE, 9)
    store.run(first.keep())
    assert second.highest(TITLE) is None
    assert AssociationCounters(store, TITLE, f"{TITLE}/2").highest(TITLE) is None


def test_received_counters_only_rise(store: Store) -> None:
    counters = AssociationCounters(store, TITLE, f"{TITLE}/1")
    assert counters.highest(TITLE) is None
    counters.accept(TITLE, 0)
    counters.accept(TITLE, 7)
    for old in (7, 6, 0):
        with pytest.raises(LocalError, match="greater"):
            counters.accept(TITLE, old)
    assert counters.highest(TITLE) == 7


def test_another_meter_is_not_accepted_under_this_key(store: Store) -> None:
    counters = AssociationCounters(store, TITLE, f"{TITLE}/1")
    counters.accept(TITLE, 7)
    assert counters.highest(OTHER) is None
    with pytest.raises(LocalError, match="not of"):
        counters.accept(OTHER, 8)


def test_what_was_kept_is_refused_after_a_restart(store: Store) -> None:
    counters = AssociationCounters(store, TITLE, f"{TITLE}/1")
    store.run(counters.keep())
    counters.accept(TITLE, 7)
    keep = counters.keep()
    counters.accept(TITLE, 8)
    store.run(keep)
    assert AssociationCounters(store, TITLE, f"{TITLE}/1").highest(TITLE) == 7, "the counters as they were when asked"
    store.run(counters.keep())
    store.run(keep)
    assert AssociationCounters(store, TITLE, f"{TITLE}/1").highest(TITLE) == 8, "never back"
