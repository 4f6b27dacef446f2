"""Link parameters: the octets of SNRM and UA, what two stations agree on, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.hdlc_parameters import LinkLimits, LinkTimes, decode_limits
from tests.support.mutation import first_escape

informations, windows = st.integers(1, 2030), st.integers(1, 7)
all_limits = st.builds(
    LinkLimits,
    information_sent=informations,
    information_received=informations,
    window_sent=windows,
    window_received=windows,
)
DEFAULTS = bytes.fromhex("818012050180060180070400000001080400000001")
LARGEST = bytes.fromhex("818014050207ee060207ee07040000000708040000 0007")


def test_the_octets_are_those_of_the_green_book() -> None:
    assert LinkLimits().encode() == DEFAULTS
    assert decode_limits(DEFAULTS) == LinkLimits()
    largest = LinkLimits(information_sent=2030, information_received=2030, window_sent=7, window_received=7)
    assert largest.encode() == LARGEST
    assert decode_limits(LARGEST) == largest


@given(all_limits)
def test_limits_survive_their_octets(limits: LinkLimits) -> None:
    assert decode_limits(limits.encode()) == limits


@given(all_limits, all_limits)
def test_both_sides_agree_on_the_same_and_neither_goes_beyond_what_it_offered(client, server) -> None:
    offered_back = server.agreed(client)
    agreed = client.agreed(offered_back)
    assert agreed.information_sent == offered_back.information_received <= client.information_sent
    assert agreed.information_received == offered_back.information_sent <= server.information_sent
    assert agreed.window_sent == offered_back.window_received <= server.window_received
    assert agreed.window_received == offered_back.window_sent <= client.window_received


@pytest.mark.parametrize(
    ("octets", "limits"),
    [
        ("", LinkLimits()),
        ("818000", LinkLimits()),
        ("818003050140", LinkLimits(information_sent=64)),
        ("818006 0601ff 990105", LinkLimits(information_received=255)),
        ("81800606040000ffff", LinkLimits(information_received=2030)),
        ("818006 070109 080107", LinkLimits(window_sent=7, window_received=7)),
    ],
)
def test_what_is_left_out_is_the_default_and_what_is_too_large_is_our_largest(octets: str, limits: LinkLimits) -> None:
    assert decode_limits(bytes.fromhex(octets)) == limits


@pytest.mark.parametrize(
    "octets",
    [
        "81",
        "8180",
        "818001",
        "828003050140",
        "818003050240",
        "81800105",
        "8180020500",
        "818007050500000000 40",
        "818003050100",
        "818003070100",
        "81800305014000",
    ],
)
def test_broken_parameters_are_refused(octets: str) -> None:
    with pytest.raises(MalformedError):
        decode_limits(bytes.fromhex(octets))


def test_no_mutation_brings_anything_but_limits_or_malformed() -> None:
    assert first_escape(decode_limits, [DEFAULTS, LARGEST], count=3000) is None


@pytest.mark.parametrize(
    "changes",
    [{"information_sent": 0}, {"information_received": 2031}, {"window_sent": 0}, {"window_received": 8}],
)
def test_limits_out_of_range_cannot_be_made(changes) -> None:
    with pytest.raises(InvalidValueError):
        LinkLimits(**changes)


@pytest.mark.parametrize(
    "changes",
    [{"response_s": 0}, {"pause_s": -1}, {"inter_octet_s": 0}, {"answer_s": 0}, {"inactivity_s": 0}, {"octet_s": -1}]
    + [{"retries": -1}, {"pauses": -1}],
)
def test_no_wait_is_endless_or_none(changes) -> None:
    with pytest.raises(InvalidValueError):
        LinkTimes(**changes)


def test_on_a_slow_line_the_wait_begins_when_our_octets_are_out() -> None:
    times = LinkTimes(response_s=2.0, octet_s=0.01)
    assert times.response_after(bytes(300)).total_seconds() == pytest.approx(5.0)
