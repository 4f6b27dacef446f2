"""docs/courier.md tells the truth: its example is what our codec makes, and what a verifier that is not ours opens."""

import re

import pytest

from dlms_objects.classes.courier_class import COURIER_NAME
from dlms_objects.classes.courier_codec import (
    CourierBatch,
    courier_context,
    decode_batch,
    encode_instruction,
    open_sealed,
    seal,
)
from dlms_objects.classes.courier_frames import FRAME_OCTETS, FrameCollection, courier_frames
from dlms_objects.purse.entry import Entry
from dlms_objects.values.results import ActionResult
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.action import ActionResponseNormal
from dlms_objects.wire.cipher_keys import CipherKeys
from dlms_objects.wire.counters import Counters, MemoryReceivedCounters, MemorySentCounters
from tests.support.courier_headend import CourierHeadEnd
from tests.support.sources import ROOT

TEXT = (ROOT / "docs" / "courier.md").read_text()
EXAMPLE = TEXT[TEXT.index("## Example") :]


@pytest.fixture(scope="module")
def named():
    """Keys and titles, as the example has them in backquotes."""
    return [bytes.fromhex(text) for text in re.findall(r"`([0-9a-f]{16,32})`", EXAMPLE)]


@pytest.fixture(scope="module")
def octets():
    """Each block of hexadecimal text of the example."""
    blocks = re.findall(r"((?:^    [0-9a-f]+\n)+)", EXAMPLE, re.MULTILINE)
    return [bytes.fromhex("".join(block.split())) for block in blocks]


@pytest.fixture
def ends(named):
    encryption, authentication, meter, head_end = named
    keys = CipherKeys(global_unicast_encryption_key=encryption, authentication_key=authentication)

    def end(own, peer):
        counters = Counters(sent=MemorySentCounters(1), received=MemoryReceivedCounters())
        return courier_context(keys, own_title=SystemTitle(own), peer_title=SystemTitle(peer), counters=counters)

    return end(meter, head_end), end(head_end, meter)


def test_the_example_is_what_the_codec_makes(octets, ends):
    meter, head_end = ends
    plain, sealed, request, instruction, response, answer = octets
    batch = decode_batch(plain)
    entry = Entry.from_row(batch.rows[0])
    assert (entry.amount, entry.reference, entry.head) == (50_000, (1).to_bytes(16, "big"), batch.head)
    assert CourierBatch(rows=batch.rows, head=batch.head, time=batch.time).encode() == plain
    assert seal(meter, plain) == sealed
    assert open_sealed(head_end, sealed) == plain
    wanted = encode_instruction("acknowledge", {"sequence": 1, "digest": batch.head.digest.hex()})
    assert wanted == request
    assert seal(head_end, request) == instruction
    assert open_sealed(meter, instruction) == request
    assert ActionResponseNormal(result=ActionResult.SUCCESS, value=b"\x16\x00").encode() == response
    assert seal(meter, response) == answer


def test_the_frame_of_the_example_carries_its_batch(octets):
    (frame,) = re.findall(r"^    (MPC1:.*)$", EXAMPLE, re.MULTILINE)
    assert courier_frames(octets[1]) == [frame]
    collection = FrameCollection()
    collection.add(frame)
    assert collection.batch() == octets[1]
    assert f"frames of up to {FRAME_OCTETS} octets" in TEXT
    assert str(COURIER_NAME) in TEXT


def test_the_verifier_that_is_not_ours_opens_the_example(named, octets, tmp_path):
    encryption, authentication, meter, head_end = (part.hex() for part in named)
    keys = tmp_path / "courier.toml"
    keys.write_text(
        f'system_title = "{meter}"\nhead_end_system_title = "{head_end}"\n'
        f'global_unicast_encryption_key = "{encryption}"\nauthentication_key = "{authentication}"\n'
    )
    verifier = CourierHeadEnd(keys)
    assert verifier.take(octets[1]) == 1
    assert verifier.acknowledge() == octets[3]
    answer = verifier.read(octets[5])
    assert (answer.result, answer.value) == (0, b"\x16\x00")
