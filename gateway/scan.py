"""Who answers at an endpoint: logical devices behind a TCP port, stations on an HDLC line, at which baud rate.

One question at a time, each a public association (client 16) that is released again, with a rest between two: a scan
shall not keep a line from those whose work it is. Imported by `deploy/`.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from twisted.internet.task import deferLater

from dlms_objects.classes.catalogue import DEVICE_NAME
from dlms_objects.classes.standard import DATA
from dlms_objects.errors import InvalidValueError, RefusedError, RemoteError, TransportLostError
from dlms_objects.transport.client import AssociationRefusedByMeterError, open_session
from dlms_objects.transport.endpoints import hdlc_station
from dlms_objects.values.logical_name import AttributeDescriptor
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire import axdr
from dlms_objects.wire.acse import UserDiagnostic
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.parameters import ClientParameters
from gateway.doctor import link
from gateway.doctor.findings import Findings, Outcome
from gateway.doctor.meter import title_of
from gateway.doctor.probe import PUBLIC_CLIENT

LARGEST_SCAN = 10_000
"""Questions in one scan at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRange:
    """Where to look: server SAPs, and on HDLC lines physical addresses and (serial ports) baud rates."""

    server_saps: Sequence[int] = (1,)
    physicals: Sequence[int] = ()
    bauds: Sequence[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one question goes."""

    endpoint: str
    server_sap: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """What answered: a logical device that told its name, or one that let no public client in (`refusal` says why)."""

    place: Place
    device_name: str = ""
    system_title: SystemTitle | None = None
    refusal: str = ""


def places(endpoint: str, wanted: ScanRange) -> list[Place]:
    """Every place of a scan; InvalidValueError for too many, or for a range that the endpoint has no use for."""
    station = hdlc_station(endpoint)
    if station is None and (wanted.physicals or wanted.bauds):
        raise InvalidValueError(f"{endpoint}: only HDLC lines (hdlc+...) have physical addresses and baud rates")
    if wanted.bauds and (station is None or station.serial is None or station.is_optical):
        raise InvalidValueError(f"{endpoint}: only hdlc+serial lines are tried at several baud rates")
    lines = [f"{endpoint}:baudrate={baud}" for baud in wanted.bauds] or [endpoint]
    stations = [f"{line}:physical={physical}" for line in lines for physical in wanted.physicals] or lines
    found = [Place(endpoint=each, server_sap=sap) for each in stations for sap in wanted.server_saps]
    if len(found) > LARGEST_SCAN:
        raise InvalidValueError(f"{len(found)} places are too many; at most {LARGEST_SCAN} are asked in one scan")
    return found


async def scan(
    reactor: Any, endpoint: str, wanted: ScanRange, *, timeout_s: float, pause_s: float
) -> AsyncIterator[Answering]:
    """Those that answer, as they are found; TransportLostError when the port or the line cannot be opened at all."""
    asked = places(endpoint, wanted)
    opening = Findings(endpoint)
    if not await link.reach(reactor, endpoint, opening, limit_s=timeout_s):
        failed = next(finding for finding in opening.found if finding.outcome is Outcome.FAILED)
        raise TransportLostError(f"{failed.measured}: {failed.cause}")
    for number, place in enumerate(asked):
        if number:
            await deferLater(reactor, pause_s)
        answering = await _ask(reactor, place, timeout_s)
        if answering is not None:
            yield answering


async def _ask(reactor: Any, place: Place, timeout_s: float) -> Answering | None:
    parameters = ClientParameters(client_sap=PUBLIC_CLIENT, server_sap=place.server_sap, answer_timeout_s=timeout_s)
    try:
        session = await open_session(reactor, place.endpoint, parameters)
    except AssociationRefusedByMeterError as error:
        if error.diagnostic is UserDiagnostic.CALLED_AP_TITLE_NOT_RECOGNIZED:
            return None  # DLMS is spoken here, but there is no such logical device
        return Answering(place=place, refusal=str(error))
    except (TransportLostError, RemoteError):
        return None
    found = Answering(place=place)
    try:
        name = axdr.decode(await session.get(AttributeDescriptor(DATA.class_id, DEVICE_NAME, 2))).value
        if isinstance(name, bytes):
            found = replace(found, device_name=name.decode("ascii", "replace"), system_title=title_of(name))
        await session.release()
    except (RefusedError, MalformedError):
        await session.release()
    except (TransportLostError, RemoteError):
        session.abort()
    return found
