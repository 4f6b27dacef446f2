"""HDLC addresses: three forms, their reserved numbers, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.hdlc_address import HdlcAddress, address_of

septets, halves = st.integers(0, 127), st.integers(0, 16383)
addresses = st.one_of(
    st.builds(HdlcAddress.client, septets),
    st.builds(lambda upper, lower: HdlcAddress(upper=upper, lower=lower, octet_count=2), septets, septets),
    st.builds(lambda upper, lower: HdlcAddress(upper=upper, lower=lower, octet_count=4), halves, halves),
)


@pytest.mark.parametrize(
    ("address", "octets"),
    [
        (HdlcAddress.client(16), "21"),
        (HdlcAddress.server(1), "03"),
        (HdlcAddress.server(1, 17), "0223"),
        (HdlcAddress.server(0x3FFF, 0x3FFF), "fefefeff"),
        (HdlcAddress.server(1, 0x1234), "00024869"),
        (HdlcAddress(upper=1, lower=17, octet_count=4), "00020023"),
    ],
)
def test_the_last_octet_and_no_other_is_marked_as_the_end(address: HdlcAddress, octets: str) -> None:
    assert address.octets.hex() == octets
    assert address_of(address.octets) == address


@given(addresses)
def test_an_address_is_what_its_octets_say(address: HdlcAddress) -> None:
    assert address_of(address.octets) == address
    assert len(address.octets) == address.octet_count


@pytest.mark.parametrize(
    "octets", ["", "02", "0203ff", "0303", "020202", "02020203ff", "02020202", "02030203", "020221"]
)
def test_other_octets_are_no_address(octets: str) -> None:
    with pytest.raises(MalformedError):
        address_of(bytes.fromhex(octets))


@pytest.mark.parametrize(
    ("upper", "lower", "octet_count"),
    [
        (128, None, 1),
        (-1, None, 1),
        (1, 128, 2),
        (128, 1, 2),
        (16384, 1, 4),
        (1, 16384, 4),
        (1, 1, 3),
        (1, 1, 1),
        (1, None, 2),
    ],
)
def test_what_does_not_fit_is_no_address(upper: int, lower: int | None, octet_count: int) -> None:
    with pytest.raises(InvalidValueError):
        HdlcAddress(upper=upper, lower=lower, octet_count=octet_count)


def test_a_station_is_the_same_in_any_number_of_octets() -> None:
    short, long = HdlcAddress.server(1, 17), HdlcAddress(upper=1, lower=17, octet_count=4)
    assert short != long
    assert short.is_same_station(long)
    assert not short.is_same_station(HdlcAddress.server(1, 18))
    assert not short.is_same_station(HdlcAddress.server(2, 17))
    assert not short.is_same_station(HdlcAddress.server(1))


def test_all_stations_are_meant_by_either_part_full_of_ones() -> None:
    everybody = [HdlcAddress.client(0x7F), HdlcAddress.server(0x7F, 1), HdlcAddress.server(1, 0x7F)]
    everybody += [HdlcAddress.server(0x3FFF, 1), HdlcAddress.server(1, 0x3FFF)]
    assert all(address.is_broadcast for address in everybody)
    one = [HdlcAddress.client(16), HdlcAddress.server(1, 17), HdlcAddress(upper=0x7F, lower=1, octet_count=4)]
    assert not any(address.is_broadcast for address in one)


def test_it_is_written_as_logical_and_physical_device() -> None:
    assert [str(HdlcAddress.client(16)), str(HdlcAddress.server(1, 17))] == ["16", "1/17"]
