"""The tables [[line]]: HDLC and UDP, told as a client writes them; anything else is refused with the reason."""

import pytest
from pydantic import ValidationError

from dlms_objects.meter.line_config import LineConfig


def test_a_line_is_hdlc_with_the_meters_place_on_it_or_udp():
    serial = LineConfig(endpoint="hdlc+serial:/dev/ttyUSB0:physical=17")
    assert serial.station.physical == 17
    udp = LineConfig(endpoint=r"udp:\:\:1:4059")
    assert (udp.station, udp.udp) == (None, ("::1", 4059))


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("tcp:127.0.0.1:4059", "TCP with the wrapper is `listen`"),
        ("udp:nowhere", "host:port"),
        ("hdlc+serial:/dev/x:physical=x", "physical is a number"),
        ("serial:/dev/x", "hdlc"),
    ],
)
def test_what_is_no_line_is_refused(endpoint, words):
    with pytest.raises(ValidationError, match=words):
        LineConfig(endpoint=endpoint)


@pytest.mark.parametrize(
    ("told", "is_local"),
    [
        ({"endpoint": "hdlc+optical:/dev/ttyUSB1"}, True),
        ({"endpoint": "hdlc+optical:/dev/ttyUSB1", "local": False}, False),
        ({"endpoint": "hdlc+serial:/dev/ttyUSB0:physical=17"}, False),
        ({"endpoint": "hdlc+serial:/dev/ttyUSB0:physical=17", "local": True}, True),
        ({"endpoint": "udp:127.0.0.1:4059"}, False),
        ({"endpoint": "udp:127.0.0.1:4059", "local": True}, True),
    ],
)
def test_an_optical_port_is_the_local_one_and_any_line_that_is_told_to_be(told, is_local):
    assert LineConfig(**told).is_local is is_local


@pytest.mark.parametrize("endpoint", [r"udp:\:\:1:4059", "hdlc+tcp:127.0.0.1:4060:physical=17"])
def test_over_ip_the_local_port_is_on_a_loopback_address(endpoint):
    assert LineConfig(endpoint=endpoint, local=True).is_local
    assert not LineConfig(endpoint=endpoint).is_local


@pytest.mark.parametrize("endpoint", ["udp:0.0.0.0:4059", "udp:meter:4059", "hdlc+tcp:192.0.2.1:4060:physical=17"])
def test_what_the_network_reaches_is_no_local_port(endpoint):
    assert not LineConfig(endpoint=endpoint).is_local
    with pytest.raises(ValidationError, match="or a loopback address"):
        LineConfig(endpoint=endpoint, local=True)
