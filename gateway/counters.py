"""Invocation counters of one association, kept in the outbox file.

Sent counters are reserved durably in blocks before use, so a crash reuses nothing and wastes at most two blocks: the
one in use, and one that `prepare` reserved ahead so that the reactor seldom waits for the disk.

Received counters are strictly rising within the process, and become durable in the same transaction as whatever the
answers led to (a page, events, a delivered acknowledgement): before its effect, never after. A session that changed
nothing stores nothing. A crash can so forget counters, and that does not make an old answer acceptable: every session
opens with a fresh challenge, which an old answer cannot have signed, and after that answer only greater counters pass.

Imported by `service.py` (one per meter) and the collector (`keep`).
"""

import sqlite3

from dlms_objects.errors import LocalError
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.counters import LARGEST_BLOCK, CounterBlocks, Counters
from gateway.store import Operation, Store
from gateway.writer import Writer


class AssociationCounters:
    """Both counters of one meter's key; `received` is what `wire.security` asks, `sent` draws from durable blocks."""

    def __init__(self, store: Store, meter: SystemTitle, key_id: str) -> None:
        """Load the highest received counter; nothing is reserved before the first session.

        `key_id` names the key (`MeterCredentials.key_id`): a new key has counters of its own.
        """
        self._store = store
        self._meter = meter
        self._reserve = store.counters.reserve(key_id)
        self._durable = store.run(lambda _connection: store.counters.received(key_id))
        self._highest = self._durable.highest(meter)
        self._ahead: range | None = None
        self.wire = Counters(sent=CounterBlocks(self._reserve_durably, count=LARGEST_BLOCK), received=self)

    async def prepare(self, writer: Writer) -> None:
        """Have a block in reserve; to be called before each session. StoreError when it cannot be made durable."""
        if self._ahead is None:
            self._ahead = await writer.run(lambda _connection: self._reserve(LARGEST_BLOCK))

    def highest(self, title: SystemTitle) -> int | None:
        """The highest counter accepted from that system title, or None (always None for another meter's title)."""
        return self._highest if title == self._meter else None

    def accept(self, title: SystemTitle, counter: int) -> None:
        """Take note of a verified APDU's counter; LocalError for another title or one that is not greater."""
        if title != self._meter:
            raise LocalError(f"these are the counters of {self._meter}, not of {title}")
        if self._highest is not None and counter <= self._highest:
            raise LocalError(f"invocation counter {counter} is not greater than {self._highest}")
        self._highest = counter

    def keep(self) -> Operation[None]:
        """An operation that makes the counters accepted up to now durable; part of the transaction of their effects."""
        counter = self._highest

        def store(_connection: sqlite3.Connection) -> None:
            if counter is not None:
                self._durable.accept(self._meter, counter)

        return store

    def _reserve_durably(self, count: int) -> range:
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            return ahead
        return self._store.run(lambda _connection: self._reserve(count))
