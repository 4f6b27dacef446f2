"""A meter's side of the courier for the head-end's tests: it seals parts of a journal, and opens what comes back."""

import secrets
from collections.abc import Callable

from dlms_objects.classes.courier_codec import CourierBatch, courier_context, decode_instruction, open_sealed, seal
from dlms_objects.classes.purse_class import PURSE
from dlms_objects.purse.entry import Entry, JournalHead
from dlms_objects.transport.credentials import CourierCredentials
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire import axdr
from dlms_objects.wire.counters import Counters, MemoryReceivedCounters, MemorySentCounters
from tests.support.headend_books import TITLE, MeterJournal

SEALED_AT = CosemDateTime(bytes.fromhex("07ea060a030c000000fe2000"))
HEAD_END_TITLE = SystemTitle.parse("4D50480000000001")


def fresh_credentials(title: SystemTitle = TITLE) -> CourierCredentials:
    """Random keys between a meter and its head-end."""
    return CourierCredentials(
        system_title=title,
        head_end_title=HEAD_END_TITLE,
        encryption_key=secrets.token_bytes(16),
        authentication_key=secrets.token_bytes(16),
    )


class CourierMeter:
    """One meter: a journal, keys, counters."""

    def __init__(self, journal: MeterJournal, credentials: CourierCredentials | None = None) -> None:
        """Fresh keys unless there are some."""
        self.journal = journal
        self.credentials = credentials or fresh_credentials(journal.title)
        self._context = courier_context(
            self.credentials.cipher_keys(),
            own_title=journal.title,
            peer_title=HEAD_END_TITLE,
            counters=Counters(sent=MemorySentCounters(1), received=MemoryReceivedCounters()),
        )

    @property
    def head(self) -> JournalHead:
        """The head of the whole journal."""
        return self.journal.entries[-1].head if self.journal.entries else JournalHead.empty(self.journal.title)

    def batch(
        self,
        first: int = 1,
        last: int | None = None,
        *,
        head: JournalHead | None = None,
        altered: Callable[[list[Entry]], list[bytes]] | None = None,
    ) -> bytes:
        """Entries `first` to `last` (default: all) sealed; `head` and `altered` lie about them."""
        entries = self.journal.entries[first - 1 : last]
        rows = [entry.row() for entry in entries] if altered is None else altered(entries)
        return self.seal(CourierBatch(rows=tuple(rows), head=head or self.head, time=SEALED_AT).encode())

    def seal(self, plain: bytes) -> bytes:
        """Anything at all, sealed."""
        return seal(self._context, plain)

    def acknowledged(self, instruction: bytes) -> JournalHead:
        """The journal head that a sealed instruction acknowledges; a replay is refused as a meter does."""
        request = decode_instruction(open_sealed(self._context, instruction))
        assert request.method.method == PURSE.method("acknowledge").number
        sequence, digest = axdr.decode(request.parameters or b"").value
        return JournalHead(sequence=sequence.value, digest=digest.value)
