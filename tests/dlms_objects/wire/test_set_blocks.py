"""SET in blocks: requests and responses come back as they went, and blocks cut anywhere join to the value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName
from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.lists import AttributeWithSelection
from dlms_objects.wire.set import decode_set_request, decode_set_response
from dlms_objects.wire.set_blocks import (
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetRequestWithListAndFirstDatablock,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseLastDatablockWithList,
)
from tests.support.apdus import (
    OCTET,
    U32,
    attributes,
    attributes_with_selection,
    blocks,
    data_access_results,
    selections,
    tuples,
)
from tests.support.mutation import first_escape

INVOKE = {"invoke_id_and_priority": OCTET}
requests = st.one_of(
    st.builds(SetRequestWithFirstDatablock, attribute=attributes, selection=selections, **blocks, **INVOKE),
    st.builds(SetRequestWithDatablock, **blocks, **INVOKE),
    st.builds(SetRequestWithListAndFirstDatablock, attributes=tuples(attributes_with_selection), **blocks, **INVOKE),
)
responses = st.one_of(
    st.builds(SetResponseDatablock, block_number=U32, **INVOKE),
    st.builds(SetResponseLastDatablock, result=data_access_results, block_number=U32, **INVOKE),
    st.builds(SetResponseLastDatablockWithList, results=tuples(data_access_results), block_number=U32, **INVOKE),
)
CLOCK = AttributeDescriptor(8, LogicalName.parse("0.0.1.0.0.255"), 2)
ONE_OF_EACH = [
    (
        SetRequestWithFirstDatablock(attribute=CLOCK, last=False, block_number=1, raw=b"ab"),
        "c102c1" + "00080000010000ff0200" + "00000000010261 62",
    ),
    (SetRequestWithDatablock(last=True, block_number=2, raw=b"c"), "c103c1" + "01000000020163"),
    (
        SetRequestWithListAndFirstDatablock(
            attributes=(AttributeWithSelection(attribute=CLOCK),), last=True, block_number=1, raw=b""
        ),
        "c105c1" + "01" + "00080000010000ff0200" + "010000000100",
    ),
    (SetResponseDatablock(block_number=1), "c502c1" + "00000001"),
    (SetResponseLastDatablock(result=DataAccessResult.TYPE_UNMATCHED, block_number=2), "c503c1" + "0c" + "00000002"),
    (
        SetResponseLastDatablockWithList(results=(DataAccessResult.SUCCESS,) * 2, block_number=2),
        "c504c1" + "020000" + "00000002",
    ),
]


@given(requests)
def test_a_request_comes_back_as_it_went(apdu):
    assert decode_set_request(apdu.encode()) == apdu


@given(responses)
def test_a_response_comes_back_as_it_went(apdu):
    assert decode_set_response(apdu.encode()) == apdu


@pytest.mark.parametrize(("apdu", "octets"), ONE_OF_EACH, ids=lambda item: type(item).__name__)
def test_the_octets_are_those_of_the_standard(apdu, octets):
    assert apdu.encode() == bytes.fromhex(octets)


@pytest.mark.parametrize(("apdu", "_octets"), ONE_OF_EACH, ids=lambda item: type(item).__name__)
def test_an_apdu_cut_anywhere_or_too_long_is_malformed(apdu, _octets):
    octets = apdu.encode()
    decode = decode_set_request if octets[0] == apdu.TAG == 0xC1 else decode_set_response
    for broken in [*(octets[:end] for end in range(len(octets))), octets + b"\x00"]:
        with pytest.raises(MalformedError):
            decode(broken)


@pytest.mark.parametrize("type_", [0, 6, 255])
def test_a_type_that_there_is_not_is_malformed(type_):
    for decode, tag in ((decode_set_request, 0xC1), (decode_set_response, 0xC5)):
        with pytest.raises(MalformedError, match="has the type"):
            decode(bytes((tag, type_, 0xC1, 0, 0, 0, 1)))


@pytest.mark.parametrize(
    "apdu",
    [
        SetRequestWithDatablock(last=True, block_number=2**32, raw=b""),
        SetResponseDatablock(block_number=-1),
        SetResponseDatablock(block_number=1, invoke_id_and_priority=256),
    ],
)
def test_what_does_not_fit_is_not_sent(apdu):
    with pytest.raises(InvalidValueError):
        apdu.encode()


def test_no_mutation_brings_anything_but_malformed():
    octets = [apdu.encode() for apdu, _ in ONE_OF_EACH]
    assert first_escape(decode_set_request, [sample for sample in octets if sample[0] == 0xC1]) is None
    assert first_escape(decode_set_response, [sample for sample in octets if sample[0] == 0xC5]) is None


def test_the_mutations_find_a_decoder_that_does_not_look_where_the_octets_end(monkeypatch):
    monkeypatch.setattr(
        "dlms_objects.wire.set_blocks.read_access_result",
        lambda octets, offset: (DataAccessResult(octets[offset]), offset + 1),
    )
    assert first_escape(decode_set_response, [ONE_OF_EACH[4][0].encode()]) is not None
