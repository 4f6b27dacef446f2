"""Every APDU is found by its first octet; the public vectors mean what they say and are written back exactly."""

import re
from typing import get_args

import pytest

from dlms_objects.values.data import double_long, long_unsigned, octet_string
from dlms_objects.wire import axdr
from dlms_objects.wire.action import (
    ActionRequestNormal,
)
from dlms_objects.wire.apdu import Apdu, decode_apdu
from dlms_objects.wire.ciphered import PLAIN_TAGS, ServiceCiphering
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.exception import (
    ConfirmedServiceError,
    ExceptionResponse,
)
from dlms_objects.wire.get import (
    GetRequestNormal,
    GetResponseBlock,
)
from tests.support.mutation import first_escape
from tests.support.one_of_each import ONE_OF_EACH
from tests.support.vectors import load, parts


def meaning(apdu):
    """The parts of an APDU in the words of the vectors."""
    match apdu:
        case ExceptionResponse():
            return {"state_error": apdu.state_error, "service_error": apdu.service_error}
        case ConfirmedServiceError():
            return {"service": apdu.service, "error": [apdu.error_class, apdu.error]}
        case GetResponseBlock():
            return {"last": apdu.last, "block": apdu.block_number, "raw": apdu.result.hex()}
        case GetRequestNormal():
            object_ = apdu.attribute
            return {"class": object_.class_id, "obis": str(object_.logical_name), "attr": object_.attribute}
        case ActionRequestNormal():
            object_, value = apdu.method, axdr.decode(apdu.parameters)
            assert value == long_unsigned(value.value)
            return {
                "class": object_.class_id,
                "obis": str(object_.logical_name),
                "method": object_.method,
                "data": value.value,
            }
    return parts_of_blocks_and_lists(apdu)


def parts_of_blocks_and_lists(apdu):
    """The type in the words of the vectors, and what there is of block, raw octets, results and their count."""
    found = {"type": re.sub("(?<!^)([A-Z])", r"-\1", type(apdu).__name__).lower()}
    for name, word in (("last", "last"), ("block_number", "block"), ("result", "result")):
        if hasattr(apdu, name):
            found[word] = getattr(apdu, name)
    for name in ("attributes", "methods", "results"):
        if hasattr(apdu, name):
            found["count"] = len(getattr(apdu, name))
    if hasattr(apdu, "raw"):
        found["raw"] = apdu.raw.hex()
    if hasattr(apdu, "results"):
        found["results"] = list(apdu.results)
    return found


QUESTIONABLE = "actionresp-list"  # its second return value is a data-access-result 05, which there is not, and 4 octets


@pytest.mark.parametrize("vector", load("apdu", valid=True), ids=lambda vector: vector["id"])
def test_a_public_apdu_means_what_it_says_and_is_written_back_exactly(vector):
    (octets,) = parts(vector)
    if vector["id"] == QUESTIONABLE:
        assert "questionable" in vector["expect"]["note"]
        with pytest.raises(MalformedError, match="code 5"):
            decode_apdu(octets)
        return
    apdu = decode_apdu(octets)
    assert vector["expect"].items() <= meaning(apdu).items()
    assert apdu.encode() == octets


def test_the_values_of_a_public_list_are_found_one_by_one():
    octets = {vector["id"]: parts(vector)[0] for vector in load("apdu", valid=True)}
    for identifier, values in (
        ("set-list", lambda apdu: apdu.values),
        ("action-list", lambda apdu: apdu.parameters),
    ):
        first, second = map(axdr.decode, values(decode_apdu(octets[identifier])))
        assert (first, second) == (octet_string(bytes((1, 2, 3, 4, 5))), double_long(69))


@pytest.mark.parametrize("vector", load("apdu", valid=False), ids=lambda vector: vector["id"])
def test_a_public_apdu_that_is_broken_is_malformed(vector):
    with pytest.raises(MalformedError):
        decode_apdu(*parts(vector))


@pytest.mark.parametrize("apdu", ONE_OF_EACH, ids=lambda apdu: type(apdu).__name__)
def test_every_apdu_is_found_by_its_first_octet_from_any_kind_of_buffer(apdu):
    octets = apdu.encode()
    assert octets[0] == apdu.TAG
    for buffer in (octets, bytearray(octets), memoryview(octets)):
        assert decode_apdu(buffer) == apdu


@pytest.mark.parametrize("octets", ["", "00", "ff", "dd00", "df00", "05010200", "c6", "c8", "c2"])
def test_an_apdu_not_spoken_here_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_apdu(bytes.fromhex(octets))


def test_one_of_each_is_one_of_each():
    spoken = set(get_args(Apdu)) - {ServiceCiphering}
    assert sorted(spoken, key=str) == sorted(map(type, ONE_OF_EACH), key=str)


@pytest.mark.parametrize("tag", PLAIN_TAGS)
def test_every_service_specific_ciphering_is_found_by_its_tag(tag):
    apdu = ServiceCiphering(tag=tag, content=bytes(5))
    assert decode_apdu(apdu.encode()) == apdu


def test_no_mutation_brings_anything_but_malformed():
    assert first_escape(decode_apdu, [apdu.encode() for apdu in ONE_OF_EACH], count=6000) is None


def test_the_mutations_find_one_careless_decoder_among_them_all(monkeypatch):
    monkeypatch.setattr("dlms_objects.wire.exception.result_of", lambda results, code: results(code))
    assert first_escape(decode_apdu, [apdu.encode() for apdu in ONE_OF_EACH], count=6000) is not None
