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
