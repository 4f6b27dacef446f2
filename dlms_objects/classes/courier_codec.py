"""What a courier carries between a meter and its head-end, built and read: batches, instructions, answers.

Sans-I/O, for both ends: the meter writes batches and reads instructions, the head-end the other way round. Both seal
with a `courier_context`. Not here: where counters are kept, what an instruction does (the meter), and the books (the
head-end). docs/courier.md tells what is sealed with which key.
"""

from dataclasses import dataclass
from typing import Any, Final

from dlms_objects.classes.courier_class import INSTRUCTIONS
from dlms_objects.classes.purse_class import PURSE, PURSE_NAME
from dlms_objects.classes.shape import from_plain, to_plain
from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.entry import DIGEST_LENGTH, ROW_LENGTH, JournalHead
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.logical_name import MethodDescriptor
from dlms_objects.values.results import ActionResult
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire import axdr
from dlms_objects.wire.action import (
    ActionRequestNormal,
    ActionResponseNormal,
    decode_action_request,
    decode_action_response,
)
from dlms_objects.wire.cipher_keys import CipherKeys
from dlms_objects.wire.ciphered import GENERAL_GLO_CIPHERING
from dlms_objects.wire.counters import Counters
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.lengths import decode_length, encode_length
from dlms_objects.wire.notification import DataNotification, decode_data_notification
from dlms_objects.wire.security import BoundContext, DecryptionError, SecurityContext

_ROWS = b"\x02\x02\x01"  # structure of two: an array of rows, and
_HEAD = (b"\x02\x02\x06", b"\x09\x10")  # a structure of two: sequence, digest
_SEQUENCE_OCTETS: Final = 4
_HEAD_OCTETS: Final = 3 + _SEQUENCE_OCTETS + 2 + DIGEST_LENGTH


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierBatch:
    """Journal rows of 98 octets each, in order; the journal's head, and the meter's time, when it was sealed.

    The rows continue the journal from what the head-end acknowledged; where `head` is not the last row's, more follow.
    """

    rows: tuple[bytes, ...]
    head: JournalHead
    time: CosemDateTime

    def encode(self) -> bytes:
        """The data-notification; InvalidValueError when a number does not fit."""
        if not 0 <= self.head.sequence < 1 << 8 * _SEQUENCE_OCTETS:
            raise InvalidValueError(f"no journal has {self.head.sequence} entries")
        sequence = self.head.sequence.to_bytes(_SEQUENCE_OCTETS, "big")
        head = _HEAD[0] + sequence + _HEAD[1] + self.head.digest
        body = _ROWS + encode_length(len(self.rows)) + b"".join(self.rows) + head
        return DataNotification(body=body, date_time=self.time.octets).encode()


def decode_batch(octets: bytes) -> CourierBatch:
    """The batch in an opened data-notification; MalformedError for anything else. Rows are told apart, not checked."""
    notification = decode_data_notification(octets)
    body = notification.body
    if not body.startswith(_ROWS) or notification.date_time is None:
        raise MalformedError("not the batch of a courier: no array of rows, or no time")
    count, start = decode_length(body, len(_ROWS))
    end = start + count * ROW_LENGTH
    head = body[end:]
    sequence, digest = head[3 : 3 + _SEQUENCE_OCTETS], head[-DIGEST_LENGTH:]
    if len(head) != _HEAD_OCTETS or head != _HEAD[0] + sequence + _HEAD[1] + digest:
        raise MalformedError(f"{count} rows are announced, and no journal head follows them")
    return CourierBatch(
        rows=tuple(body[at : at + ROW_LENGTH] for at in range(start, end, ROW_LENGTH)),
        head=JournalHead(sequence=int.from_bytes(sequence, "big"), digest=digest),
        time=_moment(notification.date_time),
    )


def encode_instruction(name: str, plain: Any) -> bytes:
    """The action-request for one of INSTRUCTIONS, from plain values; InvalidValueError for another, or wrong values."""
    if name not in INSTRUCTIONS:
        raise InvalidValueError(f"a courier carries {' and '.join(INSTRUCTIONS)}, not {name}")
    method = PURSE.method(name)
    return ActionRequestNormal(
        method=MethodDescriptor(PURSE.class_id, PURSE_NAME, method.number),
        parameters=axdr.encode(from_plain(method.parameter, plain, name)),
    ).encode()


def decode_instruction(octets: bytes) -> ActionRequestNormal:
    """The opened instruction; MalformedError unless it is one action-request of type normal. See `may_be_carried`."""
    request = decode_action_request(octets)
    if not isinstance(request, ActionRequestNormal):
        raise MalformedError("an instruction is one action-request of type normal")
    return request


def may_be_carried(method: MethodDescriptor) -> bool:
    """Whether a courier may carry a call of that method."""
    return method in _CARRIED


def decode_answer(octets: bytes, name: str) -> Any:
    """The result of that instruction as plain values, or the ActionResult with which it was refused.

    MalformedError for what is not an answer to it.
    """
    response = decode_action_response(octets)
    if not isinstance(response, ActionResponseNormal):
        raise MalformedError("an answer is one action-response of type normal")
    if response.result is not ActionResult.SUCCESS:
        return response.result
    shape = PURSE.method(name).result
    if not isinstance(response.value, bytes) or shape is None:
        raise MalformedError(f"an answer to {name} without its result")
    try:
        return to_plain(shape, axdr.decode(response.value))
    except InvalidValueError as error:
        raise MalformedError(f"an answer to {name} of another type: {error}") from None


def courier_context(
    keys: CipherKeys, *, own_title: SystemTitle, peer_title: SystemTitle, counters: Counters
) -> BoundContext:
    """One end of the sealed way, meter or head-end; DecryptionError when both have the same title."""
    context = SecurityContext(keys=keys, own_title=own_title, counters=counters)
    return context.bound_to(peer_title)


def seal(context: BoundContext, plain: bytes) -> bytes:
    """The general-glo-ciphering of an APDU; CounterExhausted when the key has no invocation counter left."""
    return context.protect(GENERAL_GLO_CIPHERING, plain)


def open_sealed(context: BoundContext, sealed: bytes) -> bytes:
    """The APDU inside; its counter is stored durably before this returns.

    DecryptionError for anything that is not sealed by that peer with these keys, ReplayError for what came before.
    """
    if sealed[:1] != bytes((GENERAL_GLO_CIPHERING,)):
        raise DecryptionError
    return context.unprotect(sealed)


_CARRIED = frozenset(MethodDescriptor(PURSE.class_id, PURSE_NAME, PURSE.method(name).number) for name in INSTRUCTIONS)


def _moment(octets: bytes) -> CosemDateTime:
    try:
        return CosemDateTime(octets)
    except InvalidValueError as error:
        raise MalformedError(f"the batch has no time: {error}") from None
