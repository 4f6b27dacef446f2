"""Serial ports by a string: what it means, what is refused, and a port that opens."""

import os
import termios
from types import SimpleNamespace

import pytest
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory
from twisted.internet.serialport import SerialPort
from twisted.internet.task import deferLater

from dlms_objects.errors import InvalidValueError
from dlms_objects.transport import serial
from dlms_objects.transport.serial import SerialEndpoint, SerialSettings, serial_settings, set_mode
from dlms_objects.wire.mode_e import OPENING_MODE, LineMode
from tests.support.bus import Recorder, Recorders
from tests.support.twisted_testing import result_of, run_in_reactor

BY_PATH = "/dev/serial/by-path/pci-0000:00-port0"


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("serial:/dev/ttyUSB0", SerialSettings(device="/dev/ttyUSB0")),
        (
            "serial:COM3:baudrate=300:bytesize=7:parity=e",
            SerialSettings(device="COM3", baudrate=300, bytesize=7, parity="E"),
        ),
        ("serial:" + BY_PATH.replace(":", r"\:") + ":stopbits=2", SerialSettings(device=BY_PATH, stopbits=2)),
    ],
)
def test_a_string_says_how_the_port_is_opened(text: str, settings: SerialSettings) -> None:
    assert serial_settings(text) == settings


@pytest.mark.parametrize(
    "text",
    [
        "serial:",
        "serial:/dev/x:baudrate=",
        "serial:/dev/x:baudrate=fast",
        "serial:/dev/x:speed=9600",
        "serial:/dev/x:9600",
        "serial:/dev/x:parity=X",
        "serial:/dev/x:bytesize=9",
        "serial:/dev/x:stopbits=3",
        "serial:/dev/x:baudrate=0",
    ],
)
def test_another_string_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        serial_settings(text)


def test_the_time_of_an_octet_counts_every_bit_on_the_line() -> None:
    assert SerialSettings(device="x", baudrate=9600).octet_s == pytest.approx(10 / 9600)
    assert SerialSettings(device="x", baudrate=300, bytesize=7, parity="E").octet_s == pytest.approx(10 / 300)
    assert SerialSettings(device="x", baudrate=1200, parity="E", stopbits=2).octet_s == pytest.approx(12 / 1200)


def test_a_port_that_is_not_there_is_a_connect_error() -> None:
    connecting = SerialEndpoint(None, SerialSettings(device="/dev/there is no such port")).connect(Recorders())
    with pytest.raises(ConnectError, match="no such port"):
        result_of(connecting)


def test_no_protocol_is_no_connection() -> None:
    connecting = SerialEndpoint(None, SerialSettings(device="/dev/null")).connect(Recorders(limit=0))
    with pytest.raises(ConnectError, match="no protocol"):
        result_of(connecting)


def test_an_open_port_carries_octets_and_changes_its_mode() -> None:
    ours, theirs = os.openpty()
    name = os.ttyname(theirs)

    async def work(reactor):
        factory = Factory.forProtocol(lambda: Recorder(lambda octets: octets[::-1]))
        protocol = await SerialEndpoint(reactor, serial_settings(f"serial:{name}:baudrate=1200")).connect(factory)
        port = protocol.transport
        assert isinstance(port, SerialPort)
        speeds = [termios.tcgetattr(theirs)[4]]
        set_mode(port, LineMode(baud=300, data_bits=8, parity="N"))
        speeds.append(termios.tcgetattr(theirs)[4])
        os.write(ours, b"abc")
        await run_until(reactor, lambda: protocol.heard)
        port.loseConnection()
        await run_until(reactor, lambda: protocol.lost)
        return speeds, b"".join(protocol.heard)

    try:
        speeds, heard = run_in_reactor(work)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (speeds, heard) == ([termios.B1200, termios.B300], b"abc")


def test_the_mode_of_an_opening_is_seven_bits_and_even_parity() -> None:
    port = SimpleNamespace(_serial=SimpleNamespace())  # a pseudo terminal has no parity to set
    set_mode(port, OPENING_MODE)
    assert vars(port._serial) == {"baudrate": 300, "bytesize": 7, "parity": "E"}


async def run_until(reactor, met) -> None:
    for _ in range(1000):
        if met():
            return
        await deferLater(reactor, 0.005)
    raise AssertionError("not met")


def test_the_prefix_is_that_of_endpoint_strings() -> None:
    assert serial.PREFIX == "serial:"
