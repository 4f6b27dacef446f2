"""The examination of one meter, from the name of its host to its clock; each step stands on those before it.

The doctor speaks under an identity of its own, kept in the gateway's folder: it neither burns nor reuses invocation
counters that a running gateway has reserved. Only when no gateway is at work is its own identity tried. Imported by
`examination.py`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlms_objects.classes.catalogue import CLOCK_NAME, DEVICE_NAME
from dlms_objects.classes.standard import CLOCK, DATA
from dlms_objects.errors import LocalError, MeterPurseError, RefusedError, RemoteError, TransportLostError
from dlms_objects.transport.client import (
    AssociationRefusedByMeterError,
    ClientIdentity,
    MeterSession,
    client_parameters,
    open_session,
)
from dlms_objects.transport.client_identity import load_identity
from dlms_objects.transport.credentials import MeterCredentials
from dlms_objects.transport.endpoints import Endpoints
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.logical_name import AttributeDescriptor
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire import axdr
from dlms_objects.wire.acse import UserDiagnostic
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.parameters import ClientParameters
from gateway.config import MeterSection
from gateway.doctor import link
from gateway.doctor.findings import Findings, Step
from gateway.doctor.outbox_use import counters_of_gateway
from gateway.doctor.probe import PUBLIC_CLIENT
from gateway.purse_reader import PurseReader

LARGEST_DRIFT_S = 60.0
"""A clock that is further off fails its step."""

METER_STEPS = (
    Step.NAME,
    Step.PORT,
    Step.LINK,
    Step.ASSOCIATION,
    Step.AUTHENTICATION,
    Step.COUNTER,
    Step.JOURNAL,
    Step.CLOCK,
)

_NAME_DIGITS = 13
_SWITCHED = "the key file is for another meter, or the keys of this one were changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the examination of a meter needs of its gateway."""

    gateway_title: SystemTitle
    outbox: Path
    identity: Path
    is_gateway_at_work: bool


class MeterExamination:
    """One meter; `run` fills `findings`."""

    def __init__(self, reactor: Any, meter: MeterSection, credentials: MeterCredentials, place: Place) -> None:
        """Nothing is said to the meter before `run`."""
        self.findings = Findings(meter.name)
        self._reactor = reactor
        self._meter = meter
        self._credentials = credentials
        self._place = place
        self._endpoints = Endpoints(reactor)

    async def run(self) -> Findings:
        """Take the steps as far as they lead; the findings, one a step."""
        if await self._reach() and await self._associate():
            await self._authenticate()
        self.findings.skip_rest(METER_STEPS)
        return self.findings

    async def _reach(self) -> bool:
        if link.is_serial(self._meter.endpoint) and self._place.is_gateway_at_work:
            self.findings.skipped(Step.PORT, "the gateway is at work on this line; stop it to examine the line")
            return False
        return await link.reach(self._reactor, self._meter.endpoint, self.findings, limit_s=self._meter.timeout_s)

    async def _associate(self) -> bool:
        """The public association, without keys: does DLMS answer, at this server SAP, and which meter is it?"""
        found = self.findings
        begun_s = self._reactor.seconds()
        try:
            session = await self._open(self._public(self._meter.server_sap))
        except AssociationRefusedByMeterError as error:
            found.ok(Step.LINK, f"answers after {self._reactor.seconds() - begun_s:.2f} s")
            if error.diagnostic is UserDiagnostic.CALLED_AP_TITLE_NOT_RECOGNIZED:
                await self._wrong_server_sap(str(error))
                return False
            found.ok(Step.ASSOCIATION, f"{error}: it has no public association; going on with the keys")
            return True
        except (TransportLostError, RemoteError) as error:
            if await self._answers_elsewhere():
                found.ok(Step.LINK, "the meter answers at another logical device")
                await self._wrong_server_sap(str(error))
            else:
                await link.explain(self._reactor, self._meter, self._endpoints, found, str(error))
            return False
        found.ok(Step.LINK, f"answers after {self._reactor.seconds() - begun_s:.2f} s")
        return await self._identify(session)

    async def _identify(self, session: MeterSession) -> bool:
        name = await _value(session, AttributeDescriptor(DATA.class_id, DEVICE_NAME, 2))
        await session.release()
        octets = name if isinstance(name, bytes) else b""
        title = title_of(octets)
        shown = octets.decode("ascii", "replace") or "without a logical device name"
        if title not in (None, self._meter.system_title):
            self.findings.failed(
                Step.ASSOCIATION,
                f"logical device {shown}, system title {title}",
                f"another meter is here: system_title says {self._meter.system_title}",
                "Correct the endpoint of this meter, or its system_title and key_file.",
            )
            return False
        self.findings.ok(Step.ASSOCIATION, f"public association open; logical device {shown}")
        return True

    async def _authenticate(self) -> None:
        """With the keys, under the doctor's own title: what fails here is not a matter of counters."""
        try:
            identity = load_identity(self._place.identity, self._credentials)
            session = await self._open(self._with_keys(identity))
        except AssociationRefusedByMeterError as error:
            self._refused(error)
            return
        except (RemoteError, TransportLostError, LocalError) as error:
            cause, remedy = _why_unproven(error)
            self.findings.failed(Step.AUTHENTICATION, str(error), cause, remedy)
            return
        self.findings.ok(Step.AUTHENTICATION, f"both sides proved themselves, client {self._meter.client_sap}")
        try:
            await self._read(session)
        finally:
            session.abort()
        await self._try_counters()

    def _refused(self, error: AssociationRefusedByMeterError) -> None:
        client = self._meter.client_sap
        match error.diagnostic:
            case UserDiagnostic.CALLING_AP_TITLE_NOT_RECOGNIZED:
                cause = f"the meter has no association for client {client}, or does not let this gateway in"
                remedy = "Correct client_sap (1 management, 2 reader), and take the key file of that association."
            case (
                UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_REQUIRED
                | UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED
                | UserDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED
            ):
                cause = f"client {client} of this meter is not one that proves itself with keys (HLS 5 GMAC)"
                remedy = "Correct client_sap (1 management, 2 reader), and take the key file of that association."
            case UserDiagnostic.AUTHENTICATION_FAILURE:
                cause = (
                    "the encryption key or the authentication key is wrong (from outside they look the same):"
                    f" {_SWITCHED}"
                )
                remedy = (
                    "Fetch the meter's current key file and name it as key_file; see `meterpurse dlms rotate-keys`."
                )
            case _:
                cause = "the meter refuses this association"
                remedy = "Ask the meter's maker what this reason means."
        self.findings.failed(Step.AUTHENTICATION, str(error), cause, remedy)

    async def _try_counters(self) -> None:
        """Under the gateway's own title, which only the counters can now be against."""
        found = self.findings
        if self._place.is_gateway_at_work:
            found.skipped(Step.COUNTER, "the gateway is at work and uses its counters itself; stop it to try them")
            return
        if not self._place.outbox.exists():
            found.skipped(Step.COUNTER, "the gateway has not run yet")
            return
        try:
            with counters_of_gateway(self._place.outbox, self._credentials) as counters:
                identity = ClientIdentity(system_title=self._place.gateway_title, counters=counters.wire)
                session = await self._open(self._with_keys(identity))
                await session.release()
        except AssociationRefusedByMeterError as error:
            found.failed(
                Step.COUNTER,
                f"{error}, while the same keys are accepted from another system title",
                "the gateway's invocation counters are too low: the meter has seen higher ones under this system title"
                " (an old copy of the outbox was restored, or two gateways share the title)",
                "Put a new system_title into gateway.toml (MPG and five octets); counters begin anew with it.",
            )
        except MeterPurseError as error:
            found.failed(
                Step.COUNTER,
                str(error),
                "the session with the gateway's own counters could not be opened",
                "Repeat the examination.",
            )
        else:
            found.ok(Step.COUNTER, "the meter accepts the gateway's next counter")

    async def _read(self, session: MeterSession) -> None:
        try:
            opening = await PurseReader(session).opening(with_currency=True)
        except (RefusedError, MalformedError) as error:
            self.findings.failed(
                Step.JOURNAL,
                str(error),
                "this meter has no purse, or does not show it to this client",
                "Collect as client 1 (management) or 2 (reader) of a MeterPurse meter.",
            )
        else:
            self.findings.ok(Step.JOURNAL, f"{opening.head.sequence} entries")
        await self._read_clock(session)

    async def _read_clock(self, session: MeterSession) -> None:
        value = await _value(session, AttributeDescriptor(CLOCK.class_id, CLOCK_NAME, CLOCK.attribute("time").number))
        now_s = self._reactor.seconds()
        time = CosemDateTime(value) if isinstance(value, bytes) and len(value) == 12 else None
        instant = None if time is None else time.instant()
        remedy = "Set the meter's clock: meterpurse dlms clock --set now."
        if time is None or instant is None or time.status & 1:
            shown = "nothing" if time is None else str(time)
            cause = "the meter has lost its time (a flat battery?) and says itself that its clock is invalid"
            self.findings.failed(Step.CLOCK, f"the meter's clock shows {shown}", cause, remedy)
            return
        drift_s = instant.timestamp() - now_s
        measured = f"{time}, {drift_s:+.1f} s against this machine"
        if abs(drift_s) > LARGEST_DRIFT_S:
            cause = f"meter and gateway differ by more than {LARGEST_DRIFT_S:g} s; one of the two clocks is wrong"
            self.findings.failed(Step.CLOCK, measured, cause, f"Check this machine's time (NTP). {remedy}")
        else:
            self.findings.ok(Step.CLOCK, measured)

    async def _answers_elsewhere(self) -> bool:
        """Whether the management logical device answers where the configured one does not."""
        if self._meter.server_sap == 1:
            return False
        try:
            session = await self._open(self._public(1))
        except AssociationRefusedByMeterError as error:
            return error.diagnostic is not UserDiagnostic.CALLED_AP_TITLE_NOT_RECOGNIZED
        except (RemoteError, TransportLostError):
            return False
        await session.release()
        return True

    async def _wrong_server_sap(self, measured: str) -> None:
        self.findings.failed(
            Step.ASSOCIATION,
            measured,
            f"there is no logical device {self._meter.server_sap} at this address",
            "Correct server_sap (`meterpurse gateway scan` shows what answers); 1 is the management logical device.",
        )

    async def _open(self, parameters: ClientParameters) -> MeterSession:
        return await open_session(self._reactor, self._meter.endpoint, parameters, endpoints=self._endpoints)

    def _public(self, server_sap: int) -> ClientParameters:
        return ClientParameters(client_sap=PUBLIC_CLIENT, server_sap=server_sap, answer_timeout_s=self._meter.timeout_s)

    def _with_keys(self, identity: ClientIdentity) -> ClientParameters:
        return client_parameters(self._credentials, identity, timeout_s=self._meter.timeout_s)


def _why_unproven(error: MeterPurseError) -> tuple[str, str]:
    """The likely cause, and what to do, where no association with keys came about and no reason was given."""
    fetch = "Fetch the meter's current key file and name it as key_file."
    if isinstance(error, RemoteError):
        return f"what the meter answers does not verify with these keys: {_SWITCHED}", fetch
    if isinstance(error, TransportLostError):
        return f"the meter falls silent when keys are used: {_SWITCHED}, or the line is bad", fetch
    return "this machine cannot speak with these keys", "Do what the message says; nothing is wrong with the line."


def title_of(device_name: bytes) -> SystemTitle | None:
    """The system title that a logical device name of three letters and 13 digits stands for; None for another form."""
    letters, digits = device_name[:3], device_name[3:]
    if len(digits) != _NAME_DIGITS or not digits.isdigit() or int(digits) >= 1 << 40:
        return None
    return SystemTitle(letters + int(digits).to_bytes(5, "big"))


async def _value(session: MeterSession, attribute: AttributeDescriptor) -> Any:
    """The plain value of an attribute; None where it cannot be read."""
    try:
        return axdr.decode(await session.get(attribute)).value
    except (RefusedError, MalformedError):
        return None
