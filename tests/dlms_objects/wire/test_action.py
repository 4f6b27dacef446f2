"""ACTION: request and response come back as they went, with and without parameters and return values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.logical_name import LogicalName, MethodDescriptor
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire import action
from dlms_objects.wire.action import (
    ActionRequestNormal,
    ActionRequestWithList,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithOptionalData,
    decode_action_request,
    decode_action_response,
    decode_responses,
    decode_single_response,
    encode_responses,
)
from dlms_objects.wire.errors import MalformedError
from tests.support.apdus import (
    OCTET,
    action_results,
    data_access_results,
    methods,
    raw_values,
    tuples,
    whole_values,
)
from tests.support.mutation import first_escape

single_responses = st.builds(
    ActionResponseWithOptionalData, result=action_results, value=st.none() | whole_values | data_access_results
)
requests = st.builds(
    ActionRequestNormal, method=methods, parameters=st.none() | raw_values, invoke_id_and_priority=OCTET
) | st.builds(
    lambda pairs, octet: ActionRequestWithList(
        methods=tuple(method for method, _ in pairs),
        parameters=tuple(value for _, value in pairs),
        invoke_id_and_priority=octet,
    ),
    tuples(st.tuples(methods, whole_values)),
    OCTET,
)
responses = st.builds(
    ActionResponseNormal,
    result=action_results,
    value=st.none() | raw_values | data_access_results,
    invoke_id_and_priority=OCTET,
) | st.builds(ActionResponseWithList, responses=tuples(single_responses), invoke_id_and_priority=OCTET)
TOP_UP = MethodDescriptor(20101, LogicalName.parse("0.0.128.0.0.255"), 1)


@given(requests)
def test_a_request_comes_back_as_it_went(apdu):
    assert decode_action_request(apdu.encode()) == apdu


@given(responses)
def test_a_response_comes_back_as_it_went(apdu):
    assert decode_action_response(apdu.encode()) == apdu


@given(single_responses, tuples(single_responses))
def test_blocks_joined_are_the_response_or_the_list_of_them(single, several):
    assert decode_single_response(single.encode()) == single
    assert decode_responses(encode_responses(several)) == several
    with pytest.raises(MalformedError):
        decode_single_response(single.encode() + b"\x00")


LIST = ActionRequestWithList(methods=(TOP_UP,) * 2, parameters=(b"\x0f\x00", b"\x00"))


def test_another_number_of_parameters_than_of_methods_is_refused_both_ways():
    with pytest.raises(InvalidValueError):
        ActionRequestWithList(methods=(TOP_UP,), parameters=())
    with pytest.raises(MalformedError, match="1 parameters for 2 methods"):
        decode_action_request(LIST.encode()[:22] + b"\x01\x00")


@pytest.mark.parametrize(
    ("apdu", "octets"),
    [
        (LIST, "c303c1" + "02" + "4e850000800000ff01" * 2 + "02" + "0f00" + "00"),
        (
            ActionResponseWithList(
                responses=(
                    ActionResponseWithOptionalData(result=ActionResult.SUCCESS, value=b"\x16\x00"),
                    ActionResponseWithOptionalData(result=ActionResult.SUCCESS, value=DataAccessResult.OTHER_REASON),
                    ActionResponseWithOptionalData(result=ActionResult.READ_WRITE_DENIED),
                )
            ),
            "c703c103" + "0001001600" + "000101fa" + "0300",
        ),
        (ActionRequestNormal(method=TOP_UP), "c301c14e85" + "0000800000ff" + "01" + "00"),
        (ActionRequestNormal(method=TOP_UP, parameters=b"\x0f\x00"), "c301c14e85" + "0000800000ff" + "01" + "010f00"),
        (ActionResponseNormal(result=ActionResult.SUCCESS), "c701c1" + "00" + "00"),
        (ActionResponseNormal(result=ActionResult.SUCCESS, value=b"\x16\x00"), "c701c1" + "00" + "01001600"),
        (
            ActionResponseNormal(result=ActionResult.SUCCESS, value=DataAccessResult.OTHER_REASON),
            "c701c1" + "00" + "0101fa",
        ),
    ],
)
def test_the_octets_are_those_of_the_standard(apdu, octets):
    assert apdu.encode().hex() == octets


HEAD = "c301c14e850000800000ff01"


@pytest.mark.parametrize(
    "octets",
    [
        *("", "c3", "c302c1", "c307c1", "c303c1", "c303c101", "c303c1000000"),
        *("c0" + HEAD[2:] + "00", HEAD, HEAD + "01", HEAD + "0000"),
    ],
)
def test_a_request_that_is_none_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_action_request(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "octets",
    [
        "",
        "c701c1",
        "c703c1",
        "c703c101",
        "c703c10100",
        "c703c1010000ff",
        "c703c1010500",
        "c703c101000102",
        "c703c10200000000ff",
        "c705c100",
        "c702c10000",
        "c701c100",
        "c701c10500",
        "c701c10001",
        "c701c1000000",
        "c701c1000100",
        "c701c1000101",
        "c701c100010105",
        "c701c10001010400",
        "c701c100010200",
    ],
)
def test_a_response_that_is_none_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_action_response(bytes.fromhex(octets))


def test_what_does_not_fit_is_not_sent():
    with pytest.raises(InvalidValueError):
        ActionResponseNormal(result=ActionResult.SUCCESS, invoke_id_and_priority=256).encode()


RESPONSES = [
    bytes.fromhex(text) for text in ("c701c10000", "c701c10001001600", "c701c1000101fa", "c703c1020001001600000101fa")
]


def test_no_mutation_brings_anything_but_malformed():
    assert first_escape(decode_action_request, [bytes.fromhex(HEAD + "010f00"), LIST.encode()]) is None
    assert first_escape(decode_action_response, RESPONSES) is None


def test_the_mutations_find_a_decoder_that_does_not_check_what_follows_a_presence_octet(monkeypatch):
    monkeypatch.setattr(action, "_optional", lambda octets, offset: octets[offset + 1 :])
    assert first_escape(decode_action_response, RESPONSES) is not None
