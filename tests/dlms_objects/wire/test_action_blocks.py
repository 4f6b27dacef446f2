"""ACTION in blocks: requests and responses come back as they went."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.logical_name import LogicalName, MethodDescriptor
from dlms_objects.wire.action import decode_action_request, decode_action_response
from dlms_objects.wire.action_blocks import (
    ActionRequestNextPblock,
    ActionRequestWithFirstPblock,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseWithPblock,
)
from dlms_objects.wire.errors import MalformedError
from tests.support.apdus import OCTET, U32, blocks, methods, tuples
from tests.support.mutation import first_escape

INVOKE = {"invoke_id_and_priority": OCTET}
requests = st.one_of(
    st.builds(ActionRequestNextPblock, block_number=U32, **INVOKE),
    st.builds(ActionRequestWithFirstPblock, method=methods, **blocks, **INVOKE),
    st.builds(ActionRequestWithListAndFirstPblock, methods=tuples(methods), **blocks, **INVOKE),
    st.builds(ActionRequestWithPblock, **blocks, **INVOKE),
)
responses = st.one_of(
    st.builds(ActionResponseWithPblock, **blocks, **INVOKE),
    st.builds(ActionResponseNextPblock, block_number=U32, **INVOKE),
)
TOP_UP = MethodDescriptor(20101, LogicalName.parse("0.0.128.0.0.255"), 1)
ONE_OF_EACH = [
    (ActionRequestNextPblock(block_number=1), "c302c1" + "00000001"),
    (
        ActionRequestWithFirstPblock(method=TOP_UP, last=False, block_number=1, raw=b"ab"),
        "c304c1" + "4e850000800000ff01" + "0000000001026162",
    ),
    (
        ActionRequestWithListAndFirstPblock(methods=(TOP_UP, TOP_UP), last=True, block_number=1, raw=b""),
        "c305c1" + "02" + "4e850000800000ff01" * 2 + "010000000100",
    ),
    (ActionRequestWithPblock(last=True, block_number=2, raw=b"c"), "c306c1" + "01000000020163"),
    (ActionResponseWithPblock(last=True, block_number=2, raw=b"c"), "c702c1" + "01000000020163"),
    (ActionResponseNextPblock(block_number=1), "c704c1" + "00000001"),
]


@given(requests)
def test_a_request_comes_back_as_it_went(apdu):
    assert decode_action_request(apdu.encode()) == apdu


@given(responses)
def test_a_response_comes_back_as_it_went(apdu):
    assert decode_action_response(apdu.encode()) == apdu


@pytest.mark.parametrize(("apdu", "octets"), ONE_OF_EACH, ids=lambda item: type(item).__name__)
def test_the_octets_are_those_of_the_standard(apdu, octets):
    assert apdu.encode().hex() == octets


@pytest.mark.parametrize(("apdu", "_octets"), ONE_OF_EACH, ids=lambda item: type(item).__name__)
def test_an_apdu_cut_anywhere_or_too_long_is_malformed(apdu, _octets):
    octets = apdu.encode()
    decode = decode_action_request if octets[0] == 0xC3 else decode_action_response
    for broken in [*(octets[:end] for end in range(len(octets))), octets + b"\x00"]:
        with pytest.raises(MalformedError):
            decode(broken)


@pytest.mark.parametrize("type_", [0, 7, 255])
def test_a_type_that_there_is_not_is_malformed(type_):
    for decode, tag in ((decode_action_request, 0xC3), (decode_action_response, 0xC7)):
        with pytest.raises(MalformedError, match="has the type"):
            decode(bytes((tag, type_, 0xC1, 0, 0, 0, 1)))


def test_what_does_not_fit_is_not_sent():
    for apdu in (
        ActionRequestNextPblock(block_number=2**32),
        ActionRequestWithFirstPblock(
            method=MethodDescriptor(70000, TOP_UP.logical_name, 1), last=True, block_number=1, raw=b""
        ),
    ):
        with pytest.raises(InvalidValueError):
            apdu.encode()


def test_no_mutation_brings_anything_but_malformed():
    octets = [apdu.encode() for apdu, _ in ONE_OF_EACH]
    assert first_escape(decode_action_request, [sample for sample in octets if sample[0] == 0xC3]) is None
    assert first_escape(decode_action_response, [sample for sample in octets if sample[0] == 0xC7]) is None


def test_the_mutations_find_a_decoder_that_reads_numbers_without_looking(monkeypatch):
    monkeypatch.setattr(
        "dlms_objects.wire.action_blocks.decode_block_number",
        lambda octets, offset: int.from_bytes(octets[offset : offset + 3], "big") << 8 | octets[offset + 3],
    )
    assert first_escape(decode_action_request, [ONE_OF_EACH[0][0].encode()]) is not None
