"""Both ends of the courier's codec agree, and take nothing else; tests/security/test_courier.py has another reader."""

import pytest

from dlms_objects.classes.courier_codec import (
    CourierBatch,
    courier_context,
    decode_answer,
    decode_batch,
    decode_instruction,
    encode_instruction,
    may_be_carried,
    open_sealed,
    seal,
)
from dlms_objects.classes.purse_class import PURSE, PURSE_NAME
from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.entry import Entry, EntryKind, JournalHead
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.logical_name import MethodDescriptor
from dlms_objects.values.results import ActionResult
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.action import ActionRequestWithList, ActionResponseNormal, ActionResponseWithList
from dlms_objects.wire.cipher_keys import CipherKeys
from dlms_objects.wire.counters import Counters, MemoryReceivedCounters, MemorySentCounters
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.security import DecryptionError, ReplayError

METER, HEAD_END = SystemTitle(b"MPR\x00\x00\x00\x00\x01"), SystemTitle(b"MPH\x00\x00\x00\x00\x01")
KEYS = CipherKeys(global_unicast_encryption_key=b"E" * 16, authentication_key=b"A" * 16)
TIME = CosemDateTime(bytes.fromhex("07ea060a030c000000fe2000"))
ACKNOWLEDGEMENT = {"sequence": 7, "digest": "0f" * 16}


def batch(count: int) -> CourierBatch:
    head, rows = JournalHead.empty(METER), []
    for number in range(1, count + 1):
        entry = Entry.chained(head, time=TIME, kind=EntryKind.TOP_UP, amount=5, balance=5 * number)
        head = entry.head
        rows.append(entry.row())
    return CourierBatch(rows=tuple(rows), head=head, time=TIME)


def context(own: SystemTitle, peer: SystemTitle):
    counters = Counters(sent=MemorySentCounters(), received=MemoryReceivedCounters())
    return courier_context(KEYS, own_title=own, peer_title=peer, counters=counters)


@pytest.mark.parametrize("count", [0, 1, 20, 128, 255])
def test_a_batch_is_read_as_it_was_written(count):
    assert decode_batch(batch(count).encode()) == batch(count)


def test_a_batch_of_no_journal_is_not_written():
    with pytest.raises(InvalidValueError):
        CourierBatch(rows=(), head=JournalHead(sequence=2**32, digest=bytes(16)), time=TIME).encode()


def test_a_batch_with_another_skeleton_is_malformed():
    octets = batch(1).encode()
    skeleton = [*range(18, 22), *range(120, 123), 127, 128]
    assert len(octets) == 18 + 4 + 98 + 25
    for at in skeleton:
        with pytest.raises(MalformedError):
            decode_batch(octets[:at] + bytes((octets[at] ^ 0x40,)) + octets[at + 1 :])
    for end in range(len(octets)):
        with pytest.raises(MalformedError):
            decode_batch(octets[:end])
    with pytest.raises(MalformedError):
        decode_batch(octets + b"\x00")


def test_a_batch_without_a_time_or_with_none_that_can_be_is_malformed():
    octets = batch(0).encode()
    with pytest.raises(MalformedError):
        decode_batch(octets[:5] + b"\x00" + octets[18:])
    with pytest.raises(MalformedError, match="no time"):
        decode_batch(octets[:8] + b"\x0e" + octets[9:])


def test_an_instruction_is_read_as_it_was_written():
    request = decode_instruction(encode_instruction("acknowledge", ACKNOWLEDGEMENT))
    assert request.method == MethodDescriptor(PURSE.class_id, PURSE_NAME, 4)
    assert may_be_carried(request.method)
    assert request.parameters == bytes.fromhex("0202 0600000007 0910") + b"\x0f" * 16


def test_other_methods_are_neither_written_nor_carried():
    with pytest.raises(InvalidValueError, match="acknowledge and top_up, not adjust"):
        encode_instruction("adjust", {})
    carried = [m for m in range(-128, 128) if may_be_carried(MethodDescriptor(PURSE.class_id, PURSE_NAME, m))]
    assert carried == [1, 4]


def test_a_list_of_requests_is_no_instruction():
    method = MethodDescriptor(PURSE.class_id, PURSE_NAME, 4)
    with pytest.raises(MalformedError):
        decode_instruction(ActionRequestWithList(methods=(method,), parameters=(b"\x00",)).encode())


def test_an_answer_is_its_result_or_the_refusal():
    done = ActionResponseNormal(result=ActionResult.SUCCESS, value=b"\x16\x00").encode()
    assert decode_answer(done, "acknowledge") == "done"
    refused = ActionResponseNormal(result=ActionResult.READ_WRITE_DENIED).encode()
    assert decode_answer(refused, "acknowledge") is ActionResult.READ_WRITE_DENIED


@pytest.mark.parametrize(
    "answer",
    [
        ActionResponseNormal(result=ActionResult.SUCCESS),
        ActionResponseNormal(result=ActionResult.SUCCESS, value=b"\x11\x00"),
        ActionResponseWithList(responses=()),
    ],
)
def test_what_is_no_answer_is_malformed(answer):
    with pytest.raises(MalformedError):
        decode_answer(answer.encode(), "acknowledge")


def test_what_one_end_seals_the_other_opens_once():
    meter, head_end = context(METER, HEAD_END), context(HEAD_END, METER)
    sealed = seal(meter, batch(2).encode())
    assert (sealed[0], sealed[2:10]) == (0xDB, METER.octets)
    assert decode_batch(open_sealed(head_end, sealed)) == batch(2)
    with pytest.raises(ReplayError):
        open_sealed(head_end, sealed)


def test_only_the_general_ciphering_is_opened():
    head_end, request = context(HEAD_END, METER), encode_instruction("acknowledge", ACKNOWLEDGEMENT)
    for sealed in (head_end.protect(0xCB, request), request, b""):
        with pytest.raises(DecryptionError):
            open_sealed(context(METER, HEAD_END), sealed)
