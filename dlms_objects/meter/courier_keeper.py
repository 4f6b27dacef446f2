"""The keeper of the courier: seals batches for the head-end, and carries out what the head-end has sealed. Sans-I/O.

Anyone may ask for a batch and hand over an instruction, so neither may cost more than the work of the moment:
* A batch is sealed once for each state of the journal and given out again, octet for octet, until an entry, an
  acknowledgement, `max_rows` or the keys change, or the head-end itself is answered. Whoever reads it for ever uses
  one invocation counter and no disk.
* An instruction that cannot be opened costs no counter and no answer of its own: one refusal for every cause. Events
  of it are limited.
Opening an instruction makes its counter durable before it takes effect, so none ever takes effect twice; one that a
power cut takes away in between is sealed anew by the head-end, and the purse knows the transaction it repeats.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final, NoReturn

from dlms_objects.classes.catalogue import COURIER_PATH
from dlms_objects.classes.courier_class import COURIER_SAP, DEFAULT_MAX_ROWS
from dlms_objects.classes.courier_codec import (
    CourierBatch,
    courier_context,
    decode_instruction,
    may_be_carried,
    open_sealed,
    seal,
)
from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.cosem_object import ActionRefusedError, Requester
from dlms_objects.meter.key_keeper import KeyKeeper
from dlms_objects.meter.logical_device import ActionOutcome
from dlms_objects.meter.peer_limit import PeerLimit
from dlms_objects.meter.purse_keeper import PurseKeeper
from dlms_objects.meter.store import MeterStore
from dlms_objects.purse.outcome import EventCode
from dlms_objects.purse.state import LAST_SEQUENCE
from dlms_objects.values.logical_name import MethodDescriptor
from dlms_objects.values.results import ActionResult
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.action import ActionResponseNormal
from dlms_objects.wire.counters import CounterExhausted
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.security import BoundContext, DecryptionError, ReplayError

Act = Callable[[MethodDescriptor, bytes | None, Requester], ActionOutcome]

_EVENTS: Final = 20  # of refused instructions at once; then one each
_EVENT_REFILL_S: Final = 60.0
_HEAD_END: Final = "courier/head_end"
_MAX_ROWS: Final = "courier/max_rows"


def head_end_value(title: SystemTitle) -> dict[str, bytes]:
    """What a new meter's store keeps of whose instructions it takes, as `MeterStore.keep` takes it."""
    return {_HEAD_END: title.octets}


class CourierKeeper:
    """What one meter gives to couriers and takes from them."""

    def __init__(self, store: MeterStore, purse: PurseKeeper, keys: KeyKeeper, act: Act) -> None:
        """`act` carries out a method as the logical device does. StorageError when the store cannot be read."""
        self._store = store
        self._purse = purse
        self._keys = keys
        self._act = act
        self._limit = PeerLimit(_EVENTS, _EVENT_REFILL_S)
        self._sealed: tuple[object, bytes] = (None, b"")
        head_end, rows = store.kept(_HEAD_END), store.kept(_MAX_ROWS)
        self.head_end_title = None if head_end is None else SystemTitle(head_end)
        self.max_rows = DEFAULT_MAX_ROWS if rows is None else int.from_bytes(rows, "big")

    def set_max_rows(self, rows: int) -> None:
        """How many rows a batch holds at most, 1..255, durably; InvalidValueError or StorageError, nothing changed."""
        if not 1 <= rows <= 255:
            raise InvalidValueError(f"a batch holds 1..255 rows, not {rows}")
        self._store.keep({_MAX_ROWS: bytes((rows,))}, [])
        self.max_rows = rows

    def batch(self, now: datetime) -> bytes:
        """The sealed batch of the rows after what was acknowledged; the same octets while nothing has changed.

        InvalidValueError without keys, head-end or unused invocation counter; StorageError.
        """
        state = self._purse.state
        wanted = (state.head, state.acknowledged, self.max_rows, self._keys.keys(COURIER_SAP))
        if self._sealed[0] != wanted:
            rows = self._store.rows(state.acknowledged.sequence + 1, LAST_SEQUENCE, self.max_rows)
            batch = CourierBatch(rows=tuple(rows), head=state.head, time=self._purse.stamp(now))
            self._sealed = (wanted, _sealed(self._context(), batch.encode()))
        return self._sealed[1]

    def deliver(self, instruction: bytes, requester: Requester) -> bytes:
        """Carry out a sealed instruction; the sealed answer.

        ActionRefusedError `other-reason` for whatever cannot be opened, without a word why; StorageError.
        """
        context = self._context()
        try:
            plain = open_sealed(context, instruction)
        except DecryptionError as error:
            self._refuse(error, requester)
        self._sealed = (None, b"")  # the next batch is newer than this answer: the head-end may see them in any order
        return _sealed(context, self._answer(plain, requester))

    def _answer(self, plain: bytes, requester: Requester) -> bytes:
        """The plain action-response: it is the head-end that asks, so what is wrong is told."""
        try:
            request = decode_instruction(plain)
        except MalformedError:
            return ActionResponseNormal(result=ActionResult.OTHER_REASON).encode()
        if may_be_carried(request.method):
            head_end = replace(requester, association=COURIER_PATH, client_title=self.head_end_title)
            outcome = self._act(request.method, request.parameters, head_end)
        else:
            outcome = ActionOutcome(ActionResult.READ_WRITE_DENIED)
        return ActionResponseNormal(
            result=outcome.result, value=outcome.value, invoke_id_and_priority=request.invoke_id_and_priority
        ).encode()

    def _context(self) -> BoundContext:
        if self.head_end_title is None:
            raise InvalidValueError("this meter knows no head-end that its courier serves")
        return courier_context(
            self._keys.keys(COURIER_SAP),
            own_title=self._purse.state.title,
            peer_title=self.head_end_title,
            counters=self._keys.counters(COURIER_SAP),
        )

    def _refuse(self, error: DecryptionError, requester: Requester) -> NoReturn:
        if self._limit.admit("", requester.now.timestamp()) is not None:
            code = EventCode.REPLAY_REFUSED if isinstance(error, ReplayError) else EventCode.DECRYPTION_FAILED
            self._purse.note(requester.now, code, value=COURIER_SAP)
        raise ActionRefusedError(ActionResult.OTHER_REASON) from None


def _sealed(context: BoundContext, plain: bytes) -> bytes:
    try:
        return seal(context, plain)
    except CounterExhausted as error:
        raise InvalidValueError(str(error)) from error
