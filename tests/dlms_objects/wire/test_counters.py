"""Invocation counters: fresh, reserved in blocks, refused at the ceiling."""

import pytest

from dlms_objects.errors import InvalidValueError, LocalError
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.counters import (
    COUNTER_CEILING,
    LARGEST_BLOCK,
    CounterBlocks,
    CounterExhausted,
    MemoryReceivedCounters,
    MemorySentCounters,
    next_block,
)

METER = SystemTitle(b"MPR\x00\x00\x00\x00\x01")
OTHER = SystemTitle(b"MPR\x00\x00\x00\x00\x02")


class Disk:
    """A durable ceiling; reservations survive the objects that made them."""

    def __init__(self, ceiling: int = 0) -> None:
        self.ceiling = ceiling
        self.reservations: list[range] = []

    def reserve(self, count: int) -> range:
        block = next_block(self.ceiling, count)
        self.ceiling = block.stop
        self.reservations.append(block)
        return block


@pytest.mark.parametrize("size", [1, 2, 63, LARGEST_BLOCK])
def test_counters_from_blocks_are_consecutive_and_never_repeat(size: int) -> None:
    disk = Disk(5)
    blocks = CounterBlocks(disk.reserve, count=size)
    assert [blocks.next() for _ in range(200)] == list(range(5, 205))


@pytest.mark.parametrize("used", [1, 3, 63, 64, 65])
def test_after_a_crash_no_counter_is_used_again(used: int) -> None:
    disk = Disk()
    before_crash = CounterBlocks(disk.reserve)
    seen = [before_crash.next() for _ in range(used)]
    after_crash = CounterBlocks(disk.reserve)
    assert after_crash.next() > max(seen)
    assert disk.reservations[-1].start >= max(seen) + 1


def test_a_reservation_is_durable_before_its_first_counter_is_used() -> None:
    disk = Disk()
    blocks = CounterBlocks(disk.reserve)
    assert disk.ceiling == 0
    assert blocks.next() == 0
    assert disk.ceiling == LARGEST_BLOCK


def test_the_last_counter_is_two_below_the_end_of_32_bits() -> None:
    disk = Disk(COUNTER_CEILING - 2)
    blocks = CounterBlocks(disk.reserve)
    assert [blocks.next(), blocks.next()] == [2**32 - 3, 2**32 - 2]
    for _ in range(2):
        with pytest.raises(CounterExhausted):
            blocks.next()


def test_a_store_that_reserves_past_the_ceiling_cannot_make_us_use_it() -> None:
    blocks = CounterBlocks(lambda count: range(COUNTER_CEILING - 1, COUNTER_CEILING - 1 + count), count=4)
    assert blocks.next() == COUNTER_CEILING - 1
    with pytest.raises(LocalError):
        blocks.next()
    beyond = CounterBlocks(lambda count: range(COUNTER_CEILING, COUNTER_CEILING + count))
    with pytest.raises(CounterExhausted):
        beyond.next()


@pytest.mark.parametrize("block", [range(0), range(65), range(0, 8, 2)], ids=["empty", "too large", "with gaps"])
def test_a_block_that_was_not_asked_for_is_refused(block: range) -> None:
    with pytest.raises(LocalError):
        CounterBlocks(lambda _count: block).next()


def test_a_block_that_was_used_before_is_refused() -> None:
    blocks = CounterBlocks(lambda count: range(7, 7 + count), count=1)
    assert blocks.next() == 7
    with pytest.raises(LocalError):
        blocks.next()


@pytest.mark.parametrize("count", [0, -1, LARGEST_BLOCK + 1])
def test_a_block_holds_at_most_64_counters(count: int) -> None:
    with pytest.raises(InvalidValueError):
        CounterBlocks(Disk().reserve, count=count)


def test_counters_in_memory_count_from_where_they_are_told() -> None:
    sent = MemorySentCounters(41)
    assert [sent.next(), sent.next()] == [41, 42]
    assert sent.ceiling == 43
    with pytest.raises(CounterExhausted):
        MemorySentCounters(COUNTER_CEILING).next()


def test_received_counters_are_kept_by_system_title_and_only_grow() -> None:
    received = MemoryReceivedCounters({METER: 4})
    assert received.highest(METER) == 4
    assert received.highest(OTHER) is None
    received.accept(OTHER, 0)
    received.accept(METER, 9)
    assert (received.highest(METER), received.highest(OTHER)) == (9, 0)
    for stale in (9, 8, 0):
        with pytest.raises(LocalError):
            received.accept(METER, stale)
    assert received.highest(METER) == 9
