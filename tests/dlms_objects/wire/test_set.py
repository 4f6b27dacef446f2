"""SET: request and response come back as they went."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName
from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.lists import AttributeWithSelection, encode_list
from dlms_objects.wire.selection import EntryDescriptor
from dlms_objects.wire.set import (
    SetRequestNormal,
    SetRequestWithList,
    SetResponseNormal,
    SetResponseWithList,
    decode_set_request,
    decode_set_response,
    decode_values,
)
from tests.support.apdus import (
    OCTET,
    attributes,
    attributes_with_selection,
    data_access_results,
    raw_values,
    selections,
    tuples,
    whole_values,
)
from tests.support.mutation import first_escape

pairs = tuples(st.tuples(attributes_with_selection, whole_values))
requests = st.builds(
    SetRequestNormal, attribute=attributes, selection=selections, value=raw_values, invoke_id_and_priority=OCTET
) | st.builds(
    lambda pairs, octet: SetRequestWithList(
        attributes=tuple(attribute for attribute, _ in pairs),
        values=tuple(value for _, value in pairs),
        invoke_id_and_priority=octet,
    ),
    pairs,
    OCTET,
)
responses = st.builds(SetResponseNormal, result=data_access_results, invoke_id_and_priority=OCTET) | st.builds(
    SetResponseWithList, results=tuples(data_access_results), invoke_id_and_priority=OCTET
)
CLOCK = AttributeDescriptor(8, LogicalName.parse("0.0.1.0.0.255"), 2)


@given(requests)
def test_a_request_comes_back_as_it_went(apdu):
    assert decode_set_request(apdu.encode()) == apdu


@given(responses)
def test_a_response_comes_back_as_it_went(apdu):
    assert decode_set_response(apdu.encode()) == apdu


@given(tuples(whole_values))
def test_the_blocks_of_a_list_joined_are_its_values(values):
    assert decode_values(encode_list(values)) == values


LIST = SetRequestWithList(attributes=(AttributeWithSelection(attribute=CLOCK),) * 2, values=(b"\x11\x05", b"\x00"))


def test_the_octets_of_a_list_are_those_of_the_standard():
    assert LIST.encode().hex() == "c104c1" + "02" + "00080000010000ff0200" * 2 + "02" + "1105" + "00"
    response = SetResponseWithList(results=(DataAccessResult.SUCCESS, DataAccessResult.OTHER_REASON))
    assert response.encode().hex() == "c505c10200fa"


def test_another_number_of_values_than_of_attributes_is_refused_both_ways():
    with pytest.raises(InvalidValueError):
        SetRequestWithList(attributes=LIST.attributes, values=(b"\x00",))
    with pytest.raises(MalformedError, match="1 values for 2 attributes"):
        decode_set_request(LIST.encode()[:24] + b"\x01\x00")


def test_the_octets_are_those_of_the_standard():
    request = SetRequestNormal(attribute=CLOCK, value=b"\x16\x02")
    assert request.encode().hex() == "c101c10008" + "0000010000ff" + "02" + "00" + "1602"
    assert SetResponseNormal(result=DataAccessResult.READ_WRITE_DENIED).encode().hex() == "c501c103"


@pytest.mark.parametrize(
    "octets",
    [
        *("", "c1", "c102c1", "c106c1", "c104c1", "c104c100", "c104c101", "c104c1000000"),
        *("c001c100080000010000ff02001602", "c101c100080000010000ff", "c101c100080000010000ff0200"),
    ],
)
def test_a_request_that_is_none_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_set_request(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "octets",
    [
        *("", "c5", "c502c100", "c505c1", "c505c10205", "c505c1010000", "c506c100"),
        *("c501c1", "c501c10000", "c501c105", "c401c100"),
    ],
)
def test_a_response_that_is_none_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_set_response(bytes.fromhex(octets))


def test_what_does_not_fit_is_not_sent():
    with pytest.raises(InvalidValueError):
        SetResponseNormal(result=DataAccessResult.SUCCESS, invoke_id_and_priority=-1).encode()


REQUESTS = [
    SetRequestNormal(attribute=CLOCK, value=b"\x16\x02").encode(),
    SetRequestNormal(
        attribute=CLOCK, value=b"\x16\x02", selection=EntryDescriptor(from_entry=1).selective_access()
    ).encode(),
    LIST.encode(),
]


def test_no_mutation_brings_anything_but_malformed():
    assert first_escape(decode_set_request, REQUESTS) is None
    assert first_escape(decode_set_response, [bytes.fromhex("c501c100"), bytes.fromhex("c505c10200fa")]) is None


def test_the_mutations_find_a_decoder_that_does_not_check_its_presence_octet(monkeypatch):
    monkeypatch.setattr("dlms_objects.wire.invoke.decode_presence", lambda octets, offset: bool(octets[offset]))
    assert first_escape(decode_set_request, REQUESTS) is not None
