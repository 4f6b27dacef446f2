"""No nonce is used twice: 10 000 sends on a real file of counters, with a crash at every step of a reservation.

Steps of one send: before the reservation, in it before its commit, after its commit, after the counter is drawn, after
the APDU is sealed but not sent. After a crash nothing of the process is left; the next one begins from the file.
"""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from dlms_objects.transport.durable_counters import DurableCounters, open_database
from dlms_objects.wire.ciphered import GENERAL_GLO_CIPHERING
from dlms_objects.wire.counters import LARGEST_BLOCK, CounterBlocks, Counters, MemoryReceivedCounters
from dlms_objects.wire.security import BoundContext, SecurityContext
from tests.support.associations import GATEWAY, KEYS, METER
from tests.support.contexts import CHALLENGE, GET, with_dedicated

SENDS = 10_000
STEPS = ("before the reservation", "before the commit", "after the commit", "counter drawn", "sealed")
SEED = 20261122


class Crash(Exception):
    """The process ends here."""


class Process:
    """One life of a sender: a context over the counters in the file, until it crashes."""

    def __init__(self, path: Path, crash_at: str, reserve: Callable[["Process", int], range]) -> None:
        self.connection = open_database(path)
        self.durable = DurableCounters(self.connection)
        self.crash_at = crash_at
        self._reserve = reserve
        self.blocks = CounterBlocks(self._reserved)
        counters = Counters(sent=self, received=MemoryReceivedCounters())
        security = SecurityContext(keys=KEYS, own_title=GATEWAY, counters=counters)
        self.context = with_dedicated(security.bound_to(METER))
        self.armed = False

    def next(self) -> int:
        """The next counter, as the context asks for it."""
        counter = self.blocks.next()
        self.step("counter drawn")
        return counter

    def step(self, name: str) -> None:
        """End here if this is where the process ends."""
        if self.armed and name == self.crash_at:
            raise Crash

    def _reserved(self, count: int) -> range:
        self.step("before the reservation")
        block = self._reserve(self, count)
        self.step("after the commit")
        return block

    def end(self) -> None:
        """What is not committed is gone."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        self.connection.close()


def reserves_durably(process: Process, count: int) -> range:
    """As the stores do, with a place to crash before the commit."""
    if process.armed and process.crash_at == "before the commit":
        process.connection.execute("BEGIN")
        process.durable.reserve("key")(count)
        raise Crash
    return process.durable.reserve("key")(count)


def nonce_of(context: BoundContext, kind: int) -> bytes:
    """Seal something, and give the key's name and the counter it was sealed with."""
    if kind == 0:
        return b"global" + context.gmac(CHALLENGE)[1:5]
    if kind == 1:
        return b"global" + context.protect(GENERAL_GLO_CIPHERING, GET)[12:16]
    if kind == 2:
        return b"dedicated" + context.protect(0xD0, GET)[3:7]
    return b"global" + context.protect(0xC8, GET)[3:7]


def check_nonces(path: Path, sends: int, reserve: Callable[[Process, int], range]) -> Counter[str]:
    """The law; how often the process crashed at each step."""
    chance = random.Random(SEED)
    used: set[bytes] = set()
    crashes: Counter[str] = Counter()
    while len(used) < sends:
        process = Process(path, STEPS[sum(crashes.values()) % len(STEPS)], reserve)
        life = chance.randrange(3 * LARGEST_BLOCK)
        try:
            for number in range(sends):
                process.armed = number >= life
                nonce = nonce_of(process.context, number % 8)
                assert nonce not in used, "a nonce was used twice"
                used.add(nonce)
                process.step("sealed")
                if len(used) == sends:
                    break
        except Crash:
            crashes[process.crash_at] += 1
        finally:
            process.end()
    return crashes


def test_10_000_sends_with_crashes_at_every_step_never_use_a_nonce_twice(tmp_path: Path) -> None:
    crashes = check_nonces(tmp_path / "counters.sqlite", SENDS, reserves_durably)
    assert set(crashes) == set(STEPS)
    assert min(crashes.values()) >= 10, crashes


def reserves_after_use(process: Process, count: int) -> range:
    """Reads the ceiling, and would store the new one only when the block is used up."""
    (row,) = process.connection.execute("SELECT coalesce(max(ceiling), 0) FROM sent_counter").fetchall()
    if process.blocks._stop:
        process.durable.reserve("key")(count)
    return range(max(row[0], process.blocks._stop), max(row[0], process.blocks._stop) + count)


def commits_late(process: Process, count: int) -> range:
    """Leaves the transaction open: a crash takes it back."""
    if not process.connection.in_transaction:
        process.connection.execute("BEGIN")
    return process.durable.reserve("key")(count)


def reserves_one_too_few(process: Process, count: int) -> range:
    """The block goes one beyond what was made durable."""
    block = process.durable.reserve("key")(count - 1)
    return range(block.start, block.start + count)


@pytest.mark.parametrize("fault", [reserves_after_use, commits_late, reserves_one_too_few])
def test_a_reservation_that_is_not_durable_is_found(fault: Callable[[Process, int], range], tmp_path: Path) -> None:
    with pytest.raises(Exception, match="used twice|not a fresh block"):
        check_nonces(tmp_path / "counters.sqlite", 2000, fault)


def test_a_dedicated_key_used_in_two_associations_repeats_no_nonce(tmp_path: Path) -> None:
    process = Process(tmp_path / "counters.sqlite", "", reserves_durably)
    used = set()
    for _ in range(10):
        context = with_dedicated(process.context.bound_to(METER))
        used |= {nonce_of(context, 2) for _ in range(20)}
    assert len(used) == 200
    process.end()
