"""Invocation counters: what was sent and received under one key, and the arithmetic that never uses one twice.

Here: the two protocols the security context asks, block reservation, and in-memory implementations.
Not here: where counters are kept on disk (the meter's store, the gateway's store implement the protocols).
Imported by `security`, by the engines' parameters and by the stores.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from dlms_objects.errors import InvalidValueError, LocalError
from dlms_objects.values.system_title import SystemTitle

COUNTER_CEILING: Final = 2**32 - 1
"""The first counter that is never sent: at this value the key must change."""

LARGEST_BLOCK: Final = 64
"""The most counters one durable reservation may cover; also the most a crash can waste."""


class CounterExhausted(LocalError):
    """The key has no unused invocation counter left; nothing was sent, and nothing can be until the key changes."""


class SentCounters(Protocol):
    """The invocation counters of what we send under one key."""

    def next(self) -> int:
        """An unused counter, 0..2^32-2, reserved durably before it is returned; CounterExhausted when none is left."""
        ...


class ReceivedCounters(Protocol):
    """The highest invocation counter received under one key, by system title."""

    def highest(self, title: SystemTitle) -> int | None:
        """The highest counter accepted from that system, or None when nothing was ever accepted."""
        ...

    def accept(self, title: SystemTitle, counter: int) -> None:
        """Remember the counter of a verified APDU; durable before return. Only ever called with a greater one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """Both directions of one key."""

    sent: SentCounters
    received: ReceivedCounters


def next_block(ceiling: int, count: int) -> range:
    """The block of at most `count` counters from a durable ceiling on; its `stop` is the new ceiling to make durable.

    The ceiling is the lowest counter that was never reserved. CounterExhausted when no counter is left.
    """
    if ceiling >= COUNTER_CEILING:
        raise CounterExhausted("the invocation counter is exhausted: the key must change")
    return range(ceiling, min(ceiling + count, COUNTER_CEILING))


class CounterBlocks:
    """SentCounters drawn from durably reserved blocks.

    `reserve(count)` makes a block of at most `count` counters durable (see `next_block`) and returns it. After a crash
    a new CounterBlocks reserves above the durable ceiling, so the rest of the old block is never used.
    """

    __slots__ = ("_count", "_next", "_reserve", "_stop")

    def __init__(self, reserve: Callable[[int], range], *, count: int = LARGEST_BLOCK) -> None:
        """Nothing is reserved before the first counter is asked for. InvalidValueError unless count is 1..64."""
        if not 1 <= count <= LARGEST_BLOCK:
            raise InvalidValueError(f"a block holds 1..{LARGEST_BLOCK} counters, not {count}")
        self._reserve = reserve
        self._count = count
        self._next = self._stop = 0

    def next(self) -> int:
        """The next counter; LocalError when the store hands out a block that was used or is larger than asked for."""
        if self._next == self._stop:
            block = self._reserve(self._count)
            if not 1 <= len(block) <= self._count or block.step != 1 or block.start < self._stop:
                raise LocalError(f"not a fresh block of at most {self._count} invocation counters: {block}")
            if block.start >= COUNTER_CEILING:
                raise CounterExhausted("the invocation counter is exhausted: the key must change")
            self._next, self._stop = block.start, min(block.stop, COUNTER_CEILING)
        counter = self._next
        self._next = counter + 1
        return counter


class MemorySentCounters:
    """SentCounters for tests and one-off clients: the caller says where to begin and keeps `ceiling` afterwards."""

    __slots__ = ("ceiling",)

    def __init__(self, first: int = 0) -> None:
        """`first` is the first counter to be used."""
        self.ceiling = first

    def next(self) -> int:
        """The next counter."""
        counter = self.ceiling
        if counter >= COUNTER_CEILING:
            raise CounterExhausted("the invocation counter is exhausted: the key must change")
        self.ceiling = counter + 1
        return counter


class MemoryReceivedCounters:
    """ReceivedCounters for tests and one-off clients: forgets everything when the process ends."""

    __slots__ = ("_highest",)

    def __init__(self, highest: Mapping[SystemTitle, int] | None = None) -> None:
        """Begin with what was accepted before, if anything."""
        self._highest = {title.octets: counter for title, counter in (highest or {}).items()}

    def highest(self, title: SystemTitle) -> int | None:
        """The highest counter accepted from that system."""
        return self._highest.get(title.octets)

    def accept(self, title: SystemTitle, counter: int) -> None:
        """Remember it; LocalError when it is not greater than the one remembered."""
        if counter <= self._highest.get(title.octets, -1):
            raise LocalError(f"invocation counter {counter} of {title} is not greater than the one accepted before")
        self._highest[title.octets] = counter
