"""GET: every APDU comes back as it went, and values are not looked into."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName
from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire import get
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseBlock,
    GetResponseNormal,
    GetResponseWithList,
    decode_get_request,
    decode_get_response,
    decode_get_results,
    encode_get_results,
)
from dlms_objects.wire.lists import AttributeWithSelection
from dlms_objects.wire.selection import EntryDescriptor
from tests.support.apdus import (
    OCTET,
    U32,
    attributes,
    attributes_with_selection,
    data_access_results,
    raw_values,
    selections,
    tuples,
    whole_values,
)
from tests.support.mutation import first_escape

results = tuples(whole_values | data_access_results)
requests = st.one_of(
    st.builds(GetRequestNormal, attribute=attributes, selection=selections, invoke_id_and_priority=OCTET),
    st.builds(GetRequestNext, block_number=U32, invoke_id_and_priority=OCTET),
    st.builds(GetRequestWithList, attributes=tuples(attributes_with_selection), invoke_id_and_priority=OCTET),
)
responses = st.one_of(
    st.builds(GetResponseNormal, result=raw_values | data_access_results, invoke_id_and_priority=OCTET),
    st.builds(
        GetResponseBlock,
        last=st.booleans(),
        block_number=U32,
        result=st.binary(max_size=300) | data_access_results,
        invoke_id_and_priority=OCTET,
    ),
    st.builds(GetResponseWithList, results=results, invoke_id_and_priority=OCTET),
)
CLOCK = AttributeDescriptor(8, LogicalName.parse("0.0.1.0.0.255"), 2)


@given(requests)
def test_a_request_comes_back_as_it_went(apdu):
    assert decode_get_request(apdu.encode()) == apdu


@given(responses)
def test_a_response_comes_back_as_it_went(apdu):
    assert decode_get_response(apdu.encode()) == apdu


@given(results)
def test_the_blocks_of_a_list_joined_are_its_results(results):
    assert decode_get_results(encode_get_results(results)) == results


LIST = (
    AttributeWithSelection(attribute=CLOCK),
    AttributeWithSelection(attribute=CLOCK, selection=EntryDescriptor(from_entry=1).selective_access()),
)


@pytest.mark.parametrize(
    ("apdu", "octets"),
    [
        (
            GetRequestWithList(attributes=LIST),
            "c003c102"
            + "00080000010000ff0200"
            + "00080000010000ff0201"
            + "0202040600000001"
            + "0600000000120001120000",
        ),
        (GetResponseWithList(results=(b"\x11\x05", DataAccessResult.OBJECT_UNDEFINED)), "c403c102" + "001105" + "0104"),
        (GetRequestNormal(attribute=CLOCK), "c001c10008" + "0000010000ff" + "0200"),
        (GetRequestNext(block_number=2), "c002c100000002"),
        (GetResponseNormal(result=b"\x06\x00\x00\x00\x01"), "c401c1000600000001"),
        (GetResponseNormal(result=DataAccessResult.OBJECT_UNDEFINED), "c401c10104"),
        (GetResponseBlock(last=False, block_number=1, result=b"ab"), "c402c10000000001" + "00026162"),
        (
            GetResponseBlock(last=True, block_number=2, result=DataAccessResult.LONG_GET_ABORTED),
            "c402c10100000002" + "010f",
        ),
    ],
)
def test_the_octets_are_those_of_the_standard(apdu, octets):
    assert apdu.encode().hex() == octets


@pytest.mark.parametrize(
    "octets",
    [
        "",
        "c0",
        "c003c1",
        "c004c100",
        "c003c10100080000010000ff02",
        "c003c10100080000010000ff020000",
        "c003c18200ff00080000010000ff0200",
        "c101c100080000010000ff0200",
        "c001c100080000010000ff",
        "c001c100080000010000ff02",
        "c001c100080000010000ff0202",
        "c001c100080000010000ff020000",
        "c001c100080000010000ff0201",
        "c002c1000000",
        "c002c10000000200",
    ],
)
def test_a_request_that_is_none_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_get_request(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "octets",
    [
        "",
        "c401c1",
        "c401c100",
        "c401c101",
        "c401c10105",
        "c401c1010400",
        "c401c10200",
        "c403c10100",
        "c403c1",
        "c403c1020011",
        "c403c1010105",
        "c403c10100000f",
        "c404c100",
        "c501c100",
        "c402c10000000001",
        "c402c100000000010003abcd",
        "c402c100000000010001abcd",
        "c402c1000000000102",
        "c402c1000000000102ff",
    ],
)
def test_a_response_that_is_none_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_get_response(bytes.fromhex(octets))


def test_any_octet_but_zero_marks_the_last_block():
    assert decode_get_response(bytes.fromhex("c402c1ff000000010000")).last


@pytest.mark.parametrize(
    "apdu",
    [
        GetRequestNext(block_number=2**32),
        GetResponseNormal(result=b"\x00", invoke_id_and_priority=256),
        GetResponseBlock(last=True, block_number=-1, result=b""),
    ],
)
def test_what_does_not_fit_is_not_sent(apdu):
    with pytest.raises(InvalidValueError):
        apdu.encode()


REQUESTS = [
    GetRequestNormal(attribute=CLOCK).encode(),
    GetRequestNext(block_number=1).encode(),
    GetRequestWithList(attributes=LIST).encode(),
]
RESPONSES = [
    GetResponseNormal(result=b"\x00").encode(),
    GetResponseNormal(result=DataAccessResult.OTHER_REASON).encode(),
    GetResponseBlock(last=True, block_number=1, result=bytes(130)).encode(),
    GetResponseWithList(results=(b"\x11\x05", DataAccessResult.OTHER_REASON)).encode(),
]


def test_no_mutation_brings_anything_but_malformed():
    assert first_escape(decode_get_request, REQUESTS) is None
    assert first_escape(decode_get_response, RESPONSES) is None


def test_the_mutations_find_a_decoder_that_takes_any_result_code(monkeypatch):
    monkeypatch.setattr(get, "result_of", lambda results, code: results(code))
    assert first_escape(decode_get_response, RESPONSES) is not None
