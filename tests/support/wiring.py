"""One real meter on loopback and a gateway's section for it, to be wired wrongly and examined."""

import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.protocol import Factory, Protocol

from dlms_objects.classes.catalogue import Role
from dlms_objects.meter import setup
from dlms_objects.meter.config import MeterConfig
from dlms_objects.meter.service import make_service
from dlms_objects.transport.credentials import MeterCredentials, load_credentials
from dlms_objects.values.system_title import SystemTitle
from gateway.config import MeterSection
from gateway.doctor.findings import Finding, Findings, Outcome
from gateway.doctor.meter import MeterExamination, Place
from tests.support.real_reactor import run_for_real

GATEWAY = SystemTitle(b"MPG\x00\x00\x00\x00\x01")
TIMEOUT_S = 5.0
SILENCE_S = 0.3
"""The deadline of a meter of which the test knows that it does not answer."""


def free_ports(count: int) -> list[int]:
    """Ports of the loopback on which nothing listens."""
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in taken]
    for each in taken:
        each.close()
    return ports


class Wiring:
    """A meter that listens while `examine` runs, with the wrapper on `port` and with HDLC on `hdlc_port`."""

    def __init__(self, folder: Path, ports: tuple[int, int]) -> None:
        """Make the meter; the ports are free ones."""
        self.port, self.hdlc_port = ports
        self.made = setup.create(folder / "meter", listen=f"127.0.0.1:{self.port}")
        self.credentials: MeterCredentials = load_credentials(self.made.keys[Role.MANAGEMENT])
        self.folder = folder

    def meter_config(self, **changes: Any) -> MeterConfig:
        """The meter's configuration, changed as told."""
        usual: dict[str, Any] = {
            "store": self.folder / "meter" / self.made.store.name,
            "keys": self.made.keys[Role.MANAGEMENT].parent,
            "listen": f"127.0.0.1:{self.port}",
            "line": [{"endpoint": f"hdlc+tcp:127.0.0.1:{self.hdlc_port}:physical=17"}] if self.hdlc_port else [],
        }
        return MeterConfig.model_validate(usual | changes)

    def section(self, **changes: Any) -> MeterSection:
        """A right `[[meter]]`, changed as told."""
        usual: dict[str, Any] = {
            "name": "flat-1",
            "system_title": self.credentials.system_title,
            "endpoint": f"tcp:127.0.0.1:{self.port}",
            "key_file": self.made.keys[Role.MANAGEMENT],
            "timeout_s": TIMEOUT_S,
        }
        return MeterSection(**(usual | changes))

    def place(self, *, at_work: bool = False) -> Place:
        """The gateway's folder."""
        return Place(
            gateway_title=GATEWAY,
            outbox=self.folder / "outbox.sqlite3",
            identity=self.folder / "doctor.identity.sqlite",
            is_gateway_at_work=at_work,
        )

    def examine(
        self,
        section: MeterSection | None = None,
        credentials: MeterCredentials | None = None,
        *,
        at_work: bool = False,
        before: Callable[[Any], Awaitable[object]] | None = None,
        **changes: Any,
    ) -> Findings:
        """Examine it while the meter is on; `before(reactor)` comes first, `changes` are of the meter."""
        keys = credentials or self.credentials
        asked = section or self.section()
        keys = replace(keys, server_sap=asked.server_sap, client_sap=asked.client_sap)

        async def work(reactor: Any) -> Findings:
            service = make_service([self.meter_config(**changes)], reactor)
            service.startService()
            try:
                await service.when_ready()
                if before is not None:
                    await before(reactor)
                return await MeterExamination(reactor, asked, keys, self.place(at_work=at_work)).run()
            finally:
                await service.stopService()

        return run_for_real(work)


def failure(findings: Findings) -> Finding:
    """The one step that failed; all before it went well or did not apply."""
    (failed,) = [finding for finding in findings.found if finding.outcome is Outcome.FAILED]
    assert failed.cause
    assert failed.remedy
    return failed


class Peer(Protocol):
    """A server that is no meter: it says `greeting` at once and `answer` to whatever comes; it may hang up."""

    greeting = b""
    answer = b""
    hangs_up = False

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Greet, or hang up."""
        assert self.transport is not None
        if self.greeting:
            self.transport.write(self.greeting)
        if self.hangs_up:
            self.transport.loseConnection()

    def dataReceived(self, octets: bytes) -> None:  # noqa: N802 - Twisted's name
        """Answer."""
        assert self.transport is not None
        if self.answer:
            self.transport.write(self.answer)


async def peer_on(reactor: Any, port: int, **behaviour: Any) -> Any:
    """Let such a server listen on a port of the loopback."""
    kind = type("ThisPeer", (Peer,), behaviour)
    return await TCP4ServerEndpoint(reactor, port, interface="127.0.0.1").listen(Factory.forProtocol(kind))
