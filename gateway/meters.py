"""The meters of a running gateway: each with its line and loop, added, replaced and removed while the others go on.

A meter that leaves ends its session in flight first, after its current page; nothing it brought is lost, for what was
collected is in the outbox. Imported by `service.py`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, DeferredSemaphore

from dlms_objects.errors import LocalError
from dlms_objects.transport.client import ClientIdentity, MeterSession, client_parameters, open_session
from dlms_objects.transport.credentials import KeyFiles, MeterCredentials
from dlms_objects.transport.endpoints import Endpoints
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.security import SecurityContext
from gateway.back_off import BackOff
from gateway.collector import CollectionLimits
from gateway.commands.runner import NO_KEYS, MeterCommands
from gateway.config import CollectionSection, GatewayConfig, MeterSection
from gateway.counters import AssociationCounters
from gateway.line import Line, LineSettings
from gateway.loop import Loop
from gateway.purse_reader import Session
from gateway.pushes import Pushes
from gateway.store import Store
from gateway.writer import Writer

MANAGEMENT_SAP = 1
"""The client that carries out commands: the management association."""

AFTER_FAULT_S = 60.0
"""How long a loop rests after an error that nobody expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineLimits:
    """What all lines share of the configuration: `[collection]`, and the rows that the outbox may hold."""

    collection: CollectionSection
    maximum_rows: int

    @classmethod
    def of(cls, config: GatewayConfig) -> "LineLimits":
        """Those of a gateway's configuration."""
        return cls(collection=config.collection, maximum_rows=config.outbox.maximum_rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    line: Line
    loop: Loop
    commands: MeterCommands
    title: SystemTitle


class Meters(MultiService):
    """A line and a loop for each meter; a meter is known by its name and by its system title."""

    def __init__(  # noqa: PLR0913 - what it is given instead of reaching for it
        self,
        reactor: Any,
        own_title: SystemTitle,
        limits: LineLimits,
        *,
        store: Store,
        writer: Writer,
        pushes: Pushes,
        read: Callable[[Session, SystemTitle], Awaitable[None]],
        collected: Callable[[], None],
        command_finished: Callable[[], None] = lambda: None,
    ) -> None:
        """`own_title` is the gateway's; `read` and `collected` are what each line calls after a collection.

        `command_finished` is called when there is the result of a command to report.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        self._reactor = reactor
        self._own_title = own_title
        self._store = store
        self._writer = writer
        self._pushes = pushes
        self._read = read
        self._collected = collected
        self._command_finished = command_finished
        self._endpoints = Endpoints(reactor, pushes.take_apdu)
        self._members: dict[str, _Member] = {}
        self._names: dict[SystemTitle, str] = {}
        self.limit(limits)

    @property
    def lines(self) -> list[Line]:
        """The lines, in the order in which their meters came."""
        return [member.line for member in self._members.values()]

    @property
    def names(self) -> tuple[str, ...]:
        """What the meters are called, in the same order."""
        return tuple(self._members)

    def limit(self, limits: LineLimits) -> None:
        """The limits of the meters that are added from now on; they share the places for sessions among them."""
        self._limits = limits
        self._sessions = DeferredSemaphore(limits.collection.concurrency)

    def refusal(self, title: SystemTitle) -> str | None:
        """Why a meter takes no commands; None when it does."""
        name = self._names.get(title)
        if name is None:
            return "this gateway has no such meter"
        return None if self._members[name].commands.can_act else NO_KEYS

    def wake_commands(self, title: SystemTitle) -> None:
        """A command for this meter was stored: its turn is now, or after the session under way."""
        member = self._members.get(self._names.get(title, ""))
        if member is not None:
            member.commands.notice()
            member.loop.wake()

    def add(
        self, meter: MeterSection, credentials: MeterCredentials, for_commands: MeterCredentials | None = None
    ) -> None:
        """Collect from one more meter, on its schedule and when it pushes, and carry out commands with their own keys.

        LocalError when its name or its system title is that of a meter that is here, or has not quite left.
        """
        if meter.name in self._members:
            raise LocalError(f"meter {meter.name} is here already")
        if meter.system_title in self._names:
            raise LocalError(f"meter {meter.name}: {meter.system_title} is meter {self._names[meter.system_title]}")
        counters = AssociationCounters(self._store, meter.system_title, credentials.key_id)
        context = SecurityContext(
            keys=credentials.cipher_keys(),
            own_title=self._own_title,
            peer_title=meter.system_title,
            counters=counters.wire,
        )
        commands = self._commands(meter, counters, credentials, for_commands)
        line = self._line(meter, credentials, counters, commands)
        loop = Loop(self._reactor, f"meter {meter.name}", line.step, after_fault_s=AFTER_FAULT_S)
        self._members[meter.name] = _Member(line=line, loop=loop, commands=commands, title=meter.system_title)
        self._names[meter.system_title] = meter.name
        self._pushes.add(meter.system_title, context, loop.wake)
        loop.setServiceParent(self)  # type: ignore[no-untyped-call]

    async def remove(self, name: str) -> None:
        """Collect from this meter no more; returns when its session in flight has ended. LocalError: no such meter."""
        member = self._members.get(name)
        if member is None:
            raise LocalError(f"there is no meter {name}")
        self._pushes.remove(member.title)
        member.line.stop()
        await member.loop.stopService()
        if self._members.get(name) is member:  # nobody who removed it at the same time was quicker
            del self._members[name], self._names[member.title]
            member.loop.disownServiceParent()  # type: ignore[no-untyped-call]

    def stopService(self) -> "Deferred[None]":  # noqa: N802 - Twisted's name
        """Fires when every session in flight has ended, each after its current page."""
        for line in self.lines:
            line.stop()
        stopped: Deferred[None] = super().stopService()  # type: ignore[no-untyped-call]
        return stopped

    def _commands(
        self,
        meter: MeterSection,
        counters: AssociationCounters,
        credentials: MeterCredentials,
        for_commands: MeterCredentials | None,
    ) -> MeterCommands:
        """One key has one row of counters, also where it serves both."""
        opened = None
        if for_commands is not None:
            if for_commands.key_id != credentials.key_id:
                counters = AssociationCounters(self._store, meter.system_title, for_commands.key_id)
            identity = ClientIdentity(system_title=self._own_title, counters=counters.wire)
            opened = partial(_open, self._reactor, self._endpoints, meter, for_commands, identity)
        collection = self._limits.collection
        return MeterCommands(
            meter.system_title,
            opened,
            self._writer,
            counters,
            BackOff(collection.back_off_first_s, collection.back_off_maximum_s, Random()),
            clock=self._reactor,
            session_limit_s=collection.session_limit_s,
            finished=self._command_finished,
        )

    def _line(
        self,
        meter: MeterSection,
        credentials: MeterCredentials,
        counters: AssociationCounters,
        commands: MeterCommands,
    ) -> Line:
        collection = self._limits.collection
        identity = ClientIdentity(system_title=self._own_title, counters=counters.wire)
        return Line(
            LineSettings(
                name=meter.name,
                title=meter.system_title,
                collect_every_s=meter.collect_every_s,
                session_limit_s=collection.session_limit_s,
                collection=CollectionLimits(page_rows=meter.page_rows, maximum_rows=self._limits.maximum_rows),
            ),
            partial(_open, self._reactor, self._endpoints, meter, credentials, identity),
            self._writer,
            counters,
            BackOff(collection.back_off_first_s, collection.back_off_maximum_s, Random()),
            clock=self._reactor,
            now_s=lambda: int(self._reactor.seconds()),
            sessions=self._sessions,
            collected=self._collected,
            read=self._read,
            commands=commands.turn,
        )


def meter_credentials(meter: MeterSection, key_files: KeyFiles) -> MeterCredentials:
    """The keys of a meter from its key file; LocalError when they cannot be used, or are another association's."""
    credentials = key_files.credentials(meter.key_file, meter.system_title)
    found = (credentials.system_title, credentials.server_sap, credentials.client_sap)
    if found != (meter.system_title, meter.server_sap, meter.client_sap):
        raise LocalError(
            f"{meter.key_file}: the keys of client {found[2]} of {found[0]}/{found[1]},"
            f" not of client {meter.client_sap} of {meter.system_title}/{meter.server_sap}"
        )
    return credentials


def command_credentials(meter: MeterSection, key_files: KeyFiles) -> MeterCredentials | None:
    """The management keys of a meter that takes commands, None where it takes none; LocalError as above."""
    if meter.command_keys is None:
        return None
    credentials = key_files.credentials(meter.command_keys, meter.system_title)
    found = (credentials.system_title, credentials.server_sap, credentials.client_sap)
    if found != (meter.system_title, meter.server_sap, MANAGEMENT_SAP):
        raise LocalError(
            f"{meter.command_keys}: the keys of client {found[2]} of {found[0]}/{found[1]},"
            f" not of client {MANAGEMENT_SAP} (management) of {meter.system_title}/{meter.server_sap}"
        )
    return credentials


async def _open(
    reactor: Any, endpoints: Endpoints, meter: MeterSection, credentials: MeterCredentials, identity: ClientIdentity
) -> MeterSession:
    parameters = client_parameters(credentials, identity, timeout_s=meter.timeout_s)
    return await open_session(reactor, meter.endpoint, parameters, endpoints=endpoints)
