"""The octets that service APDUs share."""

import struct

import pytest

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor
from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.get import GetRequestNext
from dlms_objects.wire.invoke import (
    DESCRIPTOR_OCTETS,
    check_end,
    check_tag,
    decode_attribute,
    decode_head,
    decode_method,
    decode_presence,
    decode_request,
    encode_descriptor,
    encode_head,
    encode_request,
    pack,
    result_of,
)

NAME = LogicalName.parse("0.0.128.0.0.255")


@pytest.mark.parametrize(
    ("octet", "invoke_id", "confirmed", "high"),
    [(0xC1, 1, True, True), (0x0F, 15, False, False), (0x51, 1, True, False)],
)
def test_the_octet_holds_invoke_id_service_class_and_priority(octet, invoke_id, confirmed, high):
    apdu = GetRequestNext(block_number=1, invoke_id_and_priority=octet)
    assert (apdu.invoke_id, apdu.is_confirmed, apdu.has_high_priority) == (invoke_id, confirmed, high)


@pytest.mark.parametrize("descriptor", [AttributeDescriptor(20101, NAME, -3), MethodDescriptor(20101, NAME, 4)])
def test_the_head_of_a_request_comes_back(descriptor):
    index = descriptor.attribute if isinstance(descriptor, AttributeDescriptor) else descriptor.method
    octets = encode_request(0xC0, 0xC1, descriptor)
    assert decode_request(octets) == (0xC1, 20101, NAME, index, len(octets))
    with pytest.raises(MalformedError):
        decode_request(octets[:-1])


@pytest.mark.parametrize(
    ("octet", "descriptor"),
    [
        (256, AttributeDescriptor(1, NAME, 2)),
        (0xC1, AttributeDescriptor(70000, NAME, 2)),
        (0xC1, AttributeDescriptor(1, NAME, 128)),
        (0xC1, MethodDescriptor(1, NAME, -129)),
    ],
)
def test_a_request_that_does_not_fit_is_not_written(octet, descriptor):
    with pytest.raises(InvalidValueError):
        encode_request(0xC0, octet, descriptor)


def test_a_head_says_its_type_and_is_refused_under_another_tag():
    assert encode_head(0xC0, 3, 0xC1) == b"\xc0\x03\xc1"
    assert decode_head(b"\xc0\x03\xc1\x00", 0xC0) == (3, 0xC1)
    for octets in (b"", b"\xc0\x03", b"\xc1\x03\xc1"):
        with pytest.raises(MalformedError):
            decode_head(octets, 0xC0)


@pytest.mark.parametrize(
    ("descriptor", "decode"),
    [(AttributeDescriptor(20101, NAME, -3), decode_attribute), (MethodDescriptor(20101, NAME, 4), decode_method)],
)
def test_a_descriptor_comes_back_from_where_it_stands(descriptor, decode):
    octets = encode_descriptor(descriptor)
    assert len(octets) == DESCRIPTOR_OCTETS
    assert decode(b"\x00" + octets + b"\x00", 1) == (descriptor, 1 + len(octets))
    with pytest.raises(MalformedError):
        decode(octets[:-1], 0)


def test_octets_after_the_last_part_are_refused():
    check_end(b"ab", 2)
    with pytest.raises(MalformedError):
        check_end(b"ab", 1)


def test_presence_is_00_or_01_and_nothing_else():
    assert decode_presence(b"\x00\x01", 1)
    assert not decode_presence(b"\x00\x01", 0)
    for octets in (b"", b"\x02", b"\xff"):
        with pytest.raises(MalformedError):
            decode_presence(octets, 0)


def test_a_code_without_meaning_a_wrong_tag_and_a_number_too_large_are_refused():
    assert result_of(DataAccessResult, 250) is DataAccessResult.OTHER_REASON
    with pytest.raises(MalformedError):
        result_of(DataAccessResult, 5)
    with pytest.raises(MalformedError):
        check_tag(b"", 1)
    with pytest.raises(InvalidValueError):
        pack(struct.Struct(">B"), 256)
