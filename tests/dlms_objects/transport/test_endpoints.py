"""Endpoints as text: what each says, what is refused with the reason, and which meters share a line."""

from typing import Any

import pytest
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.task import Clock

from dlms_objects.errors import InvalidValueError
from dlms_objects.transport.endpoints import Endpoints, HdlcStation, check_endpoint, hdlc_station
from dlms_objects.transport.hdlc import HdlcEndpoint
from dlms_objects.transport.optical import OpticalEndpoint
from dlms_objects.transport.serial import SerialEndpoint
from dlms_objects.transport.udp import UdpEndpoint
from dlms_objects.wire.hdlc_address import HdlcAddress
from dlms_objects.wire.mode_e import OpeningParameters

SERIAL = r"hdlc+serial:/dev/tty\:0:baudrate=19200:parity=E:physical=17:turnaround=5"


def to(endpoints: Endpoints, text: str, server_sap: int = 1) -> Any:
    return endpoints.to(text, client_sap=16, server_sap=server_sap, answer_s=3.0)


def test_a_serial_line_has_its_settings_and_the_meter_its_options() -> None:
    station = hdlc_station(SERIAL)
    assert station == HdlcStation(
        kind="hdlc+serial", line=r"/dev/tty\:0:baudrate=19200:parity=E", physical=17, turnaround=5
    )
    assert station.serial is not None
    assert (station.serial.device, station.serial.baudrate, station.serial.parity) == ("/dev/tty:0", 19200, "E")
    assert station.times(3.0).octet_s == station.serial.octet_s > 0
    assert not station.is_optical


def test_an_optical_port_has_the_parameters_of_its_opening() -> None:
    station = hdlc_station("hdlc+optical:/dev/ttyUSB0:device=42:fastest=5")
    assert station is not None
    assert station.is_optical
    assert station.opening == OpeningParameters(device_address="42", fastest="5")


def test_over_tcp_there_is_no_port_to_set() -> None:
    station = hdlc_station("hdlc+tcp:192.0.2.7:4060:window=1:information=128")
    assert station is not None
    assert station.serial is None
    assert (station.limits.window_sent, station.limits.information_received) == (1, 128)
    assert station.times(3.0).octet_s == 0


def test_what_is_not_hdlc_is_no_station() -> None:
    assert [hdlc_station(text) for text in ("tcp:192.0.2.7:4059", "udp:192.0.2.7:4059", "")] == [None] * 3


@pytest.mark.parametrize(
    ("options", "address"),
    [
        ("", HdlcAddress(upper=1)),
        (":octets=1", HdlcAddress(upper=1)),
        (":physical=17", HdlcAddress(upper=1, lower=17, octet_count=2)),
        (":physical=17:octets=4", HdlcAddress(upper=1, lower=17, octet_count=4)),
        (":octets=2", HdlcAddress(upper=1, lower=0, octet_count=2)),
        (":physical=300", HdlcAddress(upper=1, lower=300, octet_count=4)),
    ],
)
def test_an_address_has_the_octets_asked_for_or_as_few_as_hold_it(options: str, address: HdlcAddress) -> None:
    station = hdlc_station(f"hdlc+tcp:192.0.2.7:4060{options}")
    assert station is not None
    parameters = station.link(16, 1, 3.0)
    assert (parameters.peer, parameters.own) == (address, HdlcAddress.client(16))
    assert address.octets == station.server_address(1).octets


@pytest.mark.parametrize(
    "text",
    [
        "hdlc+radio:x",
        "hdlc+tcp:192.0.2.7",
        "hdlc+tcp:192.0.2.7:4060:baudrate=9600",
        "hdlc+serial:",
        "hdlc+serial:/dev/x:baudrate=fast",
        "hdlc+serial:/dev/x:physical=16384",
        "hdlc+serial:/dev/x:physical=",
        "hdlc+serial:/dev/x:octets=3",
        "hdlc+serial:/dev/x:octets=1:physical=17",
        "hdlc+serial:/dev/x:octets=2:physical=300",
        "hdlc+serial:/dev/x:window=8",
        "hdlc+serial:/dev/x:information=0",
        "hdlc+serial:/dev/x:device=42",
        "hdlc+optical:/dev/x:fastest=9",
        "hdlc+optical:/dev/x:device=!",
        "tcp:192.0.2.7:0",
        "sctp:192.0.2.7:4059",
        "udp:192.0.2.7",
        "tcp:::1:4059",
        "",
    ],
)
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        check_endpoint(text)


@pytest.mark.parametrize("text", ["tcp:192.0.2.7:4059", r"udp:\:\:1:4059", SERIAL, "hdlc+optical:/dev/ttyUSB0"])
def test_what_is_an_endpoint_is_accepted(text: str) -> None:
    check_endpoint(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("tcp:192.0.2.7:4059", TCP4ClientEndpoint),
        ("udp:192.0.2.7:4059", UdpEndpoint),
        ("hdlc+tcp:192.0.2.7:4060", HdlcEndpoint),
        ("hdlc+serial:/dev/x", HdlcEndpoint),
    ],
)
def test_each_kind_of_text_is_its_kind_of_endpoint(text: str, kind: type) -> None:
    assert isinstance(to(Endpoints(Clock()), text), kind)


def test_text_that_twisted_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="no endpoint"):
        to(Endpoints(Clock()), "nowhere")


def line_of(endpoint: Any) -> Any:
    return endpoint._line


def test_meters_on_one_line_share_it_and_no_others() -> None:
    endpoints = Endpoints(Clock())
    first, second, other = (
        to(endpoints, f"hdlc+serial:/dev/{device}:physical={physical}")
        for device, physical in (("a", 17), ("a", 18), ("b", 17))
    )
    assert line_of(first) is line_of(second) is not line_of(other)
    assert line_of(to(Endpoints(Clock()), "hdlc+serial:/dev/a")) is not line_of(first)


@pytest.mark.parametrize(("kind", "port"), [("serial", SerialEndpoint), ("optical", OpticalEndpoint)])
def test_an_optical_port_is_opened_by_mode_e_a_serial_one_is_not(kind: str, port: type) -> None:
    assert isinstance(line_of(to(Endpoints(Clock()), f"hdlc+{kind}:/dev/x"))._endpoint, port)


def test_a_client_asks_again_several_times_before_its_answer_is_overdue() -> None:
    station = hdlc_station(SERIAL)
    assert station is not None
    assert [station.times(answer_s).response_s for answer_s in (0.1, 10.0, 60.0)] == [2.5, 2.5, 15.0]
