"""ACCESS: requests and responses come back as they went, and their lists are of one length."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire.access import (
    AccessAction,
    AccessGet,
    AccessRequest,
    AccessResponse,
    AccessResult,
    AccessService,
    AccessSet,
    decode_access_request,
    decode_access_response,
)
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.selection import EntryDescriptor
from tests.support.apdus import (
    U32,
    action_results,
    attributes,
    data_access_results,
    date_times,
    methods,
    selections,
    tuples,
    whole_values,
)
from tests.support.mutation import first_escape

specifications = st.one_of(
    st.builds(AccessGet, attribute=attributes, selection=selections),
    st.builds(AccessSet, attribute=attributes, selection=selections),
    st.builds(AccessAction, method=methods),
)
results = st.builds(
    AccessResult, service=st.sampled_from((AccessService.GET, AccessService.SET)), result=data_access_results
) | st.builds(AccessResult, service=st.just(AccessService.ACTION), result=action_results)

CLOCK = AttributeDescriptor(8, LogicalName.parse("0.0.1.0.0.255"), 2)
TOP_UP = MethodDescriptor(20101, LogicalName.parse("0.0.128.0.0.255"), 1)
CLOCK_OCTETS = "00080000010000ff02"
FIRST_ROW = EntryDescriptor(from_entry=1, to_entry=1).selective_access()
FIVE = (
    AccessGet(attribute=CLOCK),
    AccessSet(attribute=CLOCK),
    AccessAction(method=TOP_UP),
    AccessGet(attribute=CLOCK, selection=FIRST_ROW),
    AccessSet(attribute=CLOCK, selection=FIRST_ROW),
)
REQUEST = AccessRequest(
    specifications=FIVE,
    values=(b"\x00", b"\x11\x01", b"\x0f\x00", b"\x00", b"\x00"),
    long_invoke_id_and_priority=0x4000_0001,
)
RESPONSE = AccessResponse(
    values=(b"\x11\x05", b"\x00"),
    results=(
        AccessResult(service=AccessService.GET, result=DataAccessResult.SUCCESS),
        AccessResult(service=AccessService.ACTION, result=ActionResult.READ_WRITE_DENIED),
    ),
    date_time=bytes(12),
)


@given(tuples(st.tuples(specifications, whole_values)), date_times, U32)
def test_a_request_comes_back_as_it_went(pairs, date_time, number):
    apdu = AccessRequest(
        specifications=tuple(specification for specification, _ in pairs),
        values=tuple(value for _, value in pairs),
        date_time=date_time,
        long_invoke_id_and_priority=number,
    )
    assert decode_access_request(apdu.encode()) == apdu


@given(tuples(st.tuples(results, whole_values)), st.none() | tuples(specifications), date_times, U32)
def test_a_response_comes_back_as_it_went(pairs, asked, date_time, number):
    apdu = AccessResponse(
        values=tuple(value for _, value in pairs),
        results=tuple(result for result, _ in pairs),
        specifications=asked,
        date_time=date_time,
        long_invoke_id_and_priority=number,
    )
    assert decode_access_response(apdu.encode()) == apdu


def test_the_octets_of_a_request_are_those_of_the_standard():
    clock, row = CLOCK_OCTETS, "02" + "0204" + "0600000001" * 2 + "120001" + "120000"
    specified = f"01{clock}" + f"02{clock}" + "034e850000800000ff01" + f"04{clock}{row}" + f"05{clock}{row}"
    assert REQUEST.encode().hex() == "d9" + "40000001" + "00" + "05" + specified + "05" + "0011010f000000"


def test_the_octets_of_a_response_are_those_of_the_standard():
    head = "da" + "00000000" + "0c" + "00" * 12
    assert RESPONSE.encode().hex() == head + "00" + "02" + "1105" + "00" + "02" + "0100" + "0303"
    described = AccessResponse(values=(), results=(), specifications=(AccessAction(method=TOP_UP),))
    assert described.encode().hex() == "da" + "00000000" + "00" + "01" + "01034e850000800000ff01" + "00" + "00"


@pytest.mark.parametrize("apdu", [REQUEST, RESPONSE], ids=["request", "response"])
def test_an_apdu_cut_anywhere_or_too_long_is_malformed(apdu):
    octets = apdu.encode()
    decode = decode_access_request if apdu is REQUEST else decode_access_response
    for broken in [*(octets[:end] for end in range(len(octets))), octets + b"\x00"]:
        with pytest.raises(MalformedError):
            decode(broken)


@pytest.mark.parametrize(
    "octets",
    [
        "d900000000" + "00" + "01" + "00" + CLOCK_OCTETS + "0100",
        "d900000000" + "00" + "01" + "06" + CLOCK_OCTETS + "0100",
        "d900000000" + "00" + "01" + "01" + CLOCK_OCTETS + "00",
        "d900000000" + "00" + "01" + "01" + CLOCK_OCTETS + "020000",
        "d900000000" + "00" + "82ffff" + "01" + CLOCK_OCTETS,
        "d900000000" + "05" + "00" * 20,
    ],
)
def test_a_request_that_is_none_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_access_request(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "octets",
    [
        "da00000000" + "00" + "02" + "0000",
        "da00000000" + "00" + "00" + "0100" + "00",
        "da00000000" + "00" + "00" + "00" + "010100",
        "da00000000" + "00" + "00" + "0100" + "010000",
        "da00000000" + "00" + "00" + "0100" + "010400",
        "da00000000" + "00" + "00" + "0100" + "010105",
        "da00000000" + "00" + "00" + "0100" + "010311",
    ],
)
def test_a_response_that_is_none_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_access_response(bytes.fromhex(octets))


def test_lists_of_different_lengths_cannot_be_made():
    with pytest.raises(InvalidValueError):
        AccessRequest(specifications=FIVE, values=(b"\x00",))
    with pytest.raises(InvalidValueError):
        AccessResponse(values=(b"\x00",), results=())
    for wrong in (bytes(5), b""):
        with pytest.raises(InvalidValueError):
            AccessRequest(specifications=(), values=(), date_time=wrong)
        with pytest.raises(InvalidValueError):
            AccessResponse(values=(), results=(), date_time=wrong)


@pytest.mark.parametrize(
    ("service", "result"),
    [(AccessService.GET, ActionResult.SUCCESS), (AccessService.ACTION, DataAccessResult.SUCCESS)],
)
def test_a_result_of_the_other_kind_cannot_be_made(service, result):
    with pytest.raises(InvalidValueError):
        AccessResult(service=service, result=result)


def test_no_mutation_brings_anything_but_malformed():
    assert first_escape(decode_access_request, [REQUEST.encode()]) is None
    assert first_escape(decode_access_response, [RESPONSE.encode()]) is None


def test_the_mutations_find_a_decoder_that_takes_any_code(monkeypatch):
    monkeypatch.setattr("dlms_objects.wire.access.result_of", lambda results, code: results(code))
    assert first_escape(decode_access_response, [RESPONSE.encode()]) is not None
