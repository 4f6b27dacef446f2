"""XML of an APDU is well-formed whatever the APDU is, says what gurux knows, and never raises or prints."""

import time
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dlms_objects.gurux_bridge.translation import LONGEST_OCTETS, xml_of

APDUS = [
    "c001c100030100010800ff0200",
    "c401c10006000186a0",
    "c40181010b",
    "c101c100010000600100ff02000600000001",
    "c301c1000f0000280000ff01010904aabbccdd",
    "c701c1000100 0906112233445566",
    "c501c100",
    "d80102",
    "0e010203",
    "c81c300000000102030405060708090a0b0c0d0e0f101112131415161718",
    "db084d505200000000011c300000000102030405060708090a0b0c0d0e0f101112131415161718",
    "6036a1090607608574050801018a0207808b0760857405080201ac0a80083132333435363738be10040e01000000065f1f0400001e1d0000",
    "6200",
    "6300",
    "c40201000000000100020102",
]


@pytest.mark.parametrize("apdu", APDUS)
def test_a_service_translates_to_more_than_its_octets(apdu: str, capsys: pytest.CaptureFixture[str]) -> None:
    octets = bytes.fromhex(apdu.replace(" ", ""))
    made = xml_of(octets)
    assert ElementTree.fromstring(made).tag != "Apdu"
    assert capsys.readouterr().out == ""


def test_general_ciphering_at_which_gurux_fails_shows_its_envelope() -> None:
    made = ElementTree.fromstring(xml_of(bytes.fromhex(APDUS[10])))
    assert made.tag == "GeneralGloCiphering"
    title = made.find("SystemTitle")
    assert title is not None
    assert title.get("Value") == "4D50520000000001"


@given(st.binary(max_size=100) | st.sampled_from(APDUS).map(lambda text: bytes.fromhex(text.replace(" ", ""))[:-2]))
@example(b"")
@example(bytes.fromhex("c401c1000a03220026"))  # a visible-string of `"`, NUL and `&`, which gurux does not escape
@example(b"\xc4\x01\xc1\x00" + b"\x02\x01" * 1200 + b"\x00")
@example(b"\xff" * (LONGEST_OCTETS + 1))
@example(bytes.fromhex("0684cf7dfb409c0bef5cbf6df8a3d3698e09faed36f64a4470a172e7061b40"))  # gurux counts to 3481139008
def test_junk_is_well_formed_xml_of_its_octets(octets: bytes) -> None:
    began = time.perf_counter()
    made = ElementTree.fromstring(xml_of(octets))
    assert time.perf_counter() - began < 1
    if made.tag == "Apdu":
        assert made.get("Value") == octets.hex().upper()
