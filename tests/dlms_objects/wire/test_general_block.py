"""General block transfer: each block of a real meter's push means what it says, and the blocks join to its APDU."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.data import DataType
from dlms_objects.wire import axdr
from dlms_objects.wire.apdu import decode_apdu
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.general_block import GeneralBlockTransfer, decode_general_block_transfer
from tests.support.apdus import U16
from tests.support.mutation import first_escape
from tests.support.vectors import information_of, load, parts

BLOCK = GeneralBlockTransfer(last=True, block_number=2, block=b"ab", streaming=True, window=5, block_number_ack=1)


@given(
    st.builds(
        GeneralBlockTransfer,
        last=st.booleans(),
        block_number=U16,
        block=st.binary(max_size=300),
        streaming=st.booleans(),
        window=st.integers(0, 63),
        block_number_ack=U16,
    )
)
def test_a_block_comes_back_as_it_went(apdu):
    assert decode_general_block_transfer(apdu.encode()) == apdu


def test_the_octets_are_those_of_the_standard():
    assert BLOCK.encode().hex() == "e0" + "c5" + "0002" + "0001" + "026162"
    assert GeneralBlockTransfer(last=False, block_number=1, block=b"").encode().hex() == "e0" + "01" + "0001" + "000000"


@pytest.mark.parametrize(
    "vector",
    load("hdlc", valid=True, classes={"general-glo-ciphering"}),
    ids=lambda vector: vector["id"],
)
def test_the_blocks_of_a_ciphered_push_are_numbered_as_they_say(vector):
    wanted = vector["expect"].get("gbt", [])
    for frame, block in zip(parts(vector), wanted, strict=bool(wanted)):
        octets = information_of(frame)
        apdu = decode_apdu(octets)
        assert apdu.encode() == octets
        assert f"{octets[1]:02x}" == block["block_control"]
        assert (apdu.block_number, apdu.block_number_ack) == (block["bn"], block["bna"])
        assert (apdu.last, apdu.streaming, apdu.window) == (block.get("last", False), True, 0)


@pytest.mark.parametrize(
    "vector",
    load("hdlc", valid=True, classes={"general-block-transfer"}),
    ids=lambda vector: vector["id"],
)
def test_the_blocks_of_a_plain_push_join_to_its_apdu(vector):
    octets = [information_of(frame) for frame in parts(vector)]
    blocks = list(map(decode_apdu, octets))
    assert [block.encode() for block in blocks] == octets
    assert [(block.block_number, block.last) for block in blocks] == [(1, False), (2, False), (3, True)]
    joined = b"".join(block.block for block in blocks)
    wanted = vector["expect"]
    assert joined.hex() == wanted["apdu_hex"]
    apdu = decode_apdu(joined)
    assert apdu.date_time.hex() == wanted["date_time"]
    objects, *values = axdr.decode(apdu.body).value
    assert (f"structure[{1 + len(values)}]", objects.type) == (wanted["body"], DataType.ARRAY)
    assert list(map(in_words, values)) == wanted["values"]


def in_words(value):
    """A value as the vectors write it."""
    if value.type is DataType.OCTET_STRING:
        return f"o:{value.value.hex()}"
    return {"enum": value.value} if value.type is DataType.ENUM else value.value


@pytest.mark.parametrize("octets", ["", "e0", "e00100010000", "e0010001000001", "e0010001000000ff", "e1010001000000"])
def test_what_is_no_block_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_general_block_transfer(bytes.fromhex(octets))


def test_what_does_not_fit_is_not_sent():
    for window in (-1, 64):
        with pytest.raises(InvalidValueError):
            GeneralBlockTransfer(last=True, block_number=1, block=b"", window=window)
    with pytest.raises(InvalidValueError):
        GeneralBlockTransfer(last=True, block_number=2**16, block=b"").encode()


def test_no_mutation_brings_anything_but_malformed():
    assert first_escape(decode_general_block_transfer, [BLOCK.encode()]) is None


def test_the_mutations_find_a_decoder_without_its_least_length(monkeypatch):
    monkeypatch.setattr("dlms_objects.wire.general_block.check_tag", lambda octets, _tag: octets[0])
    assert first_escape(decode_general_block_transfer, [BLOCK.encode()]) is not None
