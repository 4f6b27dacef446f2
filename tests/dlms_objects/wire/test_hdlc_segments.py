"""APDUs in information fields: cut and put together, with the LLC header, within the limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.hdlc_segments import LLC_COMMAND, LLC_RESPONSE, Reassembly, segments


@given(st.binary(max_size=300), st.integers(1, 400))
def test_an_apdu_survives_its_segments(apdu: bytes, information_octets: int) -> None:
    *first, last = segments(LLC_COMMAND, apdu, information_octets)
    incoming = Reassembly((LLC_COMMAND,), 300)
    assert all(len(part) == information_octets for part in first)
    assert 1 <= len(last) <= information_octets
    assert [incoming.add(part, segmented=True) for part in first] == [None] * len(first)
    assert incoming.is_under_way is bool(first)
    assert incoming.add(last, segmented=False) == apdu
    assert not incoming.is_under_way


@pytest.mark.parametrize("octets", [b"\xe6\xe7\x00\xc0", b"\xe6\xe6\x01\xc0", b"\xe6\xe6", b"\xc0\x01\xc1\x00"])
def test_another_header_is_refused(octets: bytes) -> None:
    incoming = Reassembly((LLC_COMMAND,), 300)
    with pytest.raises(MalformedError):
        incoming.add(octets, segmented=False)
    assert incoming.add(LLC_COMMAND + b"next", segmented=False) == b"next"
    assert Reassembly((LLC_COMMAND, LLC_RESPONSE), 300).add(b"\xe6\xe7\x00\xc0", segmented=False) == b"\xc0"


def test_where_no_header_is_needed_an_apdu_may_come_bare() -> None:
    incoming = Reassembly((LLC_COMMAND,), 300)
    incoming.needs_llc = False
    for octets in (b"\xe0\x40", LLC_COMMAND + b"\xe0\x40"):
        assert incoming.add(octets, segmented=False) == b"\xe0\x40"


def test_more_than_the_limit_is_refused_and_nothing_is_kept() -> None:
    incoming = Reassembly((LLC_COMMAND,), 10)
    assert incoming.add(LLC_COMMAND + bytes(10), segmented=True) is None
    with pytest.raises(MalformedError):
        incoming.add(b"x", segmented=True)
    assert not incoming.is_under_way
    assert incoming.add(LLC_COMMAND + bytes(10), segmented=False) == bytes(10)


def test_parts_without_octets_cannot_fill_the_memory() -> None:
    with pytest.raises(MalformedError):
        Reassembly((LLC_COMMAND,), 10).add(b"", segmented=True)


def test_what_was_dropped_does_not_count() -> None:
    incoming = Reassembly((LLC_COMMAND,), 10)
    incoming.add(LLC_COMMAND + bytes(9), segmented=True)
    incoming.drop()
    assert incoming.add(LLC_COMMAND + bytes(10), segmented=False) == bytes(10)
