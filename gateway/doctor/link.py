"""The way to a meter: does its name resolve, does its port open, and if DLMS does not answer there, what does.

Imported by `meter.py`.
"""

import re
import socket
from dataclasses import replace
from typing import Any

from serial import Serial, SerialException
from twisted.internet.endpoints import clientFromString
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.threads import deferToThreadPool

from dlms_objects.transport.endpoints import UDP, Endpoints, HdlcStation, hdlc_station
from dlms_objects.transport.serial import SerialEndpoint
from gateway.config import MeterSection
from gateway.doctor.findings import Findings, Step
from gateway.doctor.probe import HTTP_QUESTION, PUBLIC_CLIENT, Heard, Speech, hdlc_question, hear, wrapper_question

LONGEST_PROBE_S = 3.0
LARGEST_HDLC_ADDRESS = 0x3FFF

USUAL_PHYSICAL = (None, 1, 16, 17)
"""Physical addresses that meters come with from their makers; None: an address of the logical device alone."""

_OTHERS = {
    Speech.HTTP: "a web server is here, not a meter",
    Speech.TELNET: "a Telnet console is here (the converter's own settings?), not a meter",
    Speech.SSH: "an SSH server is here, not a meter",
    Speech.TLS: "a server that wants TLS is here, not a meter",
    Speech.TEXT: "something that speaks plain text is here, not a meter",
    Speech.NOISE: "octets come that are no DLMS: another protocol, or a converter with a wrong baud rate",
}
_HOST_AND_PORT = re.compile(r"^(?P<host>(?:[^\\:]|\\.)+):(?P<port>\d+)$")


def is_serial(endpoint: str) -> bool:
    """Whether an endpoint is a serial port of this machine."""
    station = hdlc_station(endpoint)
    return station is not None and station.serial is not None


async def reach(reactor: Any, endpoint: str, found: Findings, *, limit_s: float) -> bool:
    """The steps NAME and PORT; whether the port is open."""
    station = hdlc_station(endpoint)
    if station is not None and station.serial is not None:
        found.skipped(Step.NAME, "a serial port of this machine")
        return _open_serial(station, found)
    host, port = host_and_port(endpoint)
    if not await _resolve(reactor, host, port, found):
        return False
    if endpoint.startswith(f"{UDP}:"):
        found.skipped(Step.PORT, "UDP has no ports that open")
        return True
    return await _open_port(reactor, host, port, found, limit_s)


def host_and_port(endpoint: str) -> tuple[str, int]:
    """Host and port of an endpoint over IP."""
    station = hdlc_station(endpoint)
    text = endpoint.partition(":")[2] if station is None else station.line
    parts = _HOST_AND_PORT.match(text)
    assert parts is not None, "the configuration is checked"
    return parts["host"].replace("\\", ""), int(parts["port"])


async def _resolve(reactor: Any, host: str, port: int, found: Findings) -> bool:
    def look_up() -> list[str]:
        return sorted({str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)})

    try:
        addresses = await deferToThreadPool(reactor, reactor.getThreadPool(), look_up)
    except socket.gaierror as error:
        found.failed(
            Step.NAME,
            f"{host}: {error.strerror}",
            f"the name {host} is misspelt or not known to this machine's name server",
            "Correct the host in `endpoint`, or write the address in numbers.",
        )
        return False
    found.ok(Step.NAME, f"{host} is {', '.join(addresses)}")
    return True


async def _open_port(reactor: Any, host: str, port: int, found: Findings, limit_s: float) -> bool:
    def connect() -> float:
        begun_s = reactor.seconds()
        with socket.create_connection((host, port), timeout=limit_s):
            return float(reactor.seconds() - begun_s)

    try:
        took_s = await deferToThreadPool(reactor, reactor.getThreadPool(), connect)
    except ConnectionRefusedError:
        found.failed(
            Step.PORT,
            f"{host}:{port} refuses connections",
            "the machine is there, but nothing listens on this port: a wrong port, or the meter's service is down",
            "Correct the port in `endpoint` (DLMS usually has 4059), or restart the meter or its modem.",
        )
    except OSError as error:
        reason = "no answer" if isinstance(error, TimeoutError) else error.strerror or str(error)
        found.failed(
            Step.PORT,
            f"{host}:{port}: {reason} within {limit_s:g} s",
            "nothing answers at this address: the meter is off, has another address, or a firewall is between",
            "Check power and SIM card or cable of the meter, its address, and the firewall.",
        )
    else:
        found.ok(Step.PORT, f"{host}:{port} opens after {took_s * 1000:.0f} ms")
        return True
    return False


def _open_serial(station: HdlcStation, found: Findings) -> bool:
    settings = station.serial
    assert settings is not None
    try:
        Serial(settings.device, baudrate=settings.baudrate, exclusive=True).close()
    except (SerialException, OSError, ValueError) as error:
        words = str(error)
        if "No such file" in words:
            cause, remedy = (
                "the serial port does not exist: the adapter is unplugged or has another name",
                "ls /dev/tty*",
            )
        elif "Permission" in words:
            cause, remedy = "this user may not use the serial port", "Add it to the group dialout."
        elif "lock" in words or "busy" in words.lower():
            cause, remedy = "another program has the serial port open", "Stop it; `fuser` names it."
        else:
            cause, remedy = "the serial port cannot be set up", "Check baudrate and parity in `endpoint`."
        found.failed(Step.PORT, f"{settings.device}: {words}", cause, remedy)
        return False
    found.ok(Step.PORT, f"{settings.device} opens at {settings.baudrate} baud")
    return True


async def explain(reactor: Any, meter: MeterSection, endpoints: Endpoints, found: Findings, measured: str) -> None:
    """The step LINK where DLMS as configured got no answer: what is there instead."""
    station = hdlc_station(meter.endpoint)
    limit_s = min(meter.timeout_s, LONGEST_PROBE_S)
    if meter.endpoint.startswith(f"{UDP}:"):
        _silent(found, measured)
        return
    try:
        heard = await _ask_around(reactor, meter, station, limit_s)
    except (ConnectError, DNSLookupError, OSError) as error:
        found.failed(Step.LINK, f"{measured}; then {error}", "the line comes and goes", "Check cable or reception.")
        return
    _judge(found, meter, heard, measured)


async def _ask_around(reactor: Any, meter: MeterSection, station: HdlcStation | None, limit_s: float) -> Heard:
    """What answers to the wrapper, to HDLC, to HTTP, in this order; the first that says anything.

    Over TCP, HDLC is tried at the usual physical addresses too; on a serial line only the one that was configured.
    """
    own = HdlcStation(kind="", line="x") if station is None else station
    on_serial = is_serial(meter.endpoint)
    server_sap = meter.server_sap if meter.server_sap <= LARGEST_HDLC_ADDRESS else 1
    stations = [own] if on_serial else [own, *(replace(own, physical=each, octets=0) for each in USUAL_PHYSICAL)]
    snrms = b"".join(hdlc_question(each.link(PUBLIC_CLIENT, server_sap, limit_s)) for each in stations)
    questions = [snrms] if on_serial else [wrapper_question(meter.server_sap), snrms, HTTP_QUESTION]
    heard = Heard(octets=b"", is_closed=False)
    for question in questions:
        now = await hear(reactor, _raw(reactor, meter.endpoint, station), question, limit_s=limit_s)
        if now.octets:
            return now
        heard = Heard(octets=b"", is_closed=heard.is_closed or now.is_closed)
    return heard


def _raw(reactor: Any, endpoint: str, station: HdlcStation | None) -> IStreamClientEndpoint:
    """The endpoint without any protocol on it."""
    if station is not None and station.serial is not None:
        serial: IStreamClientEndpoint = SerialEndpoint(reactor, station.serial)
        return serial
    tcp: IStreamClientEndpoint = clientFromString(reactor, endpoint if station is None else f"tcp:{station.line}")
    return tcp


def _judge(found: Findings, meter: MeterSection, heard: Heard, measured: str) -> None:
    station = hdlc_station(meter.endpoint)
    measured = f"{measured}; heard {heard.words()}"
    speech = heard.speech
    if speech is Speech.WRAPPER and station is not None:
        found.failed(
            Step.LINK,
            measured,
            "the meter speaks the wrapper here, and the endpoint says HDLC",
            f'Write endpoint = "tcp:{station.line}".',
        )
    elif speech is Speech.HDLC and station is None:
        found.failed(
            Step.LINK,
            measured,
            "the meter speaks HDLC here, and the endpoint says wrapper",
            f'Write endpoint = "hdlc+{meter.endpoint}:physical=N"; `meterpurse gateway scan` finds N.',
        )
    elif station is not None and station.serial is not None:
        _judge_serial(found, heard, measured)
    elif speech in _OTHERS:
        found.failed(Step.LINK, measured, _OTHERS[speech], "Correct host and port in `endpoint`.")
    elif speech is Speech.CLOSED:
        found.failed(
            Step.LINK,
            measured,
            "the meter closes connections unread: it is locked after too many failures, or has no place for another",
            "Wait a minute and try again; look who else connects to it, or tries to.",
        )
    else:
        _silent(found, measured)


def _judge_serial(found: Findings, heard: Heard, measured: str) -> None:
    if heard.octets and heard.speech is not Speech.HDLC:
        cause = "octets come that are no frames: a wrong baud rate or parity, or two stations speak at once"
        remedy = "Correct baudrate and parity in `endpoint`; `meterpurse gateway scan` tries the usual ones."
    elif heard.octets:
        cause, remedy = "a station answers, but does not open a link", "Correct physical and server_sap."
    else:
        cause = "nobody answers on this line: a wrong address or baud rate, wires A and B swapped, or no power"
        remedy = "Check the wiring; `meterpurse gateway scan` tries the usual baud rates and addresses."
    found.failed(Step.LINK, measured, cause, remedy)


def _silent(found: Findings, measured: str) -> None:
    found.failed(
        Step.LINK,
        measured,
        "something accepts connections and does not answer: a converter without a meter, or another server_sap",
        "Check the line behind the converter, and server_sap.",
    )
