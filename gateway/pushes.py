"""Listening for the meters' pushes: one that verifies is the reason to collect from its meter at once.

A push is a hint and never a record: what it holds is collected from the journal by its sequence number, so a push that
is lost, late or repeated changes nothing. Over TCP and UDP on one port, and from HDLC lines. Imported by `service.py`.
"""

from collections.abc import Callable
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.logger import Logger

from dlms_objects.errors import LocalError
from dlms_objects.program_folder import host_and_port
from dlms_objects.transport.push_listener import PushListener
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.notification_receiver import (
    NotificationReceived,
    NotificationRefusal,
    ReceiverEvent,
    ReceiverParameters,
)
from dlms_objects.wire.security import SecurityContext

MAXIMUM_CONNECTIONS = 1_000
LARGEST_PUSH_OCTETS = 4_096
REST_S = 10.0

log = Logger()


class PushAddressError(LocalError):
    """The address in `push.listen` cannot be listened on."""


class Pushes(Service):
    """Listens while it runs, to the meters that were added."""

    def __init__(self, reactor: Any, listen: str | None) -> None:
        """`listen` None: pushes come over HDLC lines alone (`take_apdu`)."""
        self._reactor = reactor
        self._listen = listen
        self._contexts: dict[SystemTitle, SecurityContext] = {}
        self._collect: dict[SystemTitle, Callable[[], None]] = {}
        self._ports: list[Any] = []
        parameters = ReceiverParameters(
            contexts=self._contexts.get, maximum_octets=LARGEST_PUSH_OCTETS, rest_timeout_s=REST_S
        )
        self._listener = PushListener(reactor, parameters, self._heard)
        self.take_apdu = self._listener.take_apdu

    def add(self, meter: SystemTitle, context: SecurityContext, collect: Callable[[], None]) -> None:
        """One more meter: what opens its pushes, with the counters of the sessions with it, and what to call then."""
        self._contexts[meter] = context
        self._collect[meter] = collect

    def remove(self, meter: SystemTitle) -> None:
        """That meter's pushes are a stranger's from now on; of one that is not here there is nothing to remove."""
        self._contexts.pop(meter, None)
        self._collect.pop(meter, None)

    def startService(self) -> None:
        """Listen; PushAddressError when that cannot be."""
        super().startService()  # type: ignore[no-untyped-call]
        if self._listen is None:
            return
        host, port = host_and_port(self._listen)
        factory = self._listener.factory(maximum_connections=MAXIMUM_CONNECTIONS)
        try:
            tcp = self._reactor.listenTCP(port, factory, interface=host)
            self._ports.append(tcp)
            udp = self._reactor.listenUDP(tcp.getHost().port, self._listener.datagrams(), interface=host)
            self._ports.append(udp)
        except CannotListenError as error:
            raise PushAddressError(f"cannot listen for pushes on {self._listen}: {error.socketError}") from error
        log.info("listening for pushes on {host} port {port}", host=host, port=self.port)

    def stopService(self) -> "Deferred[Any]":
        """Listen no more."""
        super().stopService()  # type: ignore[no-untyped-call]
        ports, self._ports = self._ports, []
        return gatherResults([maybeDeferred(port.stopListening) for port in ports])

    @property
    def port(self) -> int:
        """The port, also where the system chose it."""
        return int(self._ports[0].getHost().port)

    def _heard(self, event: ReceiverEvent, peer: str) -> None:
        title = event.system_title
        if isinstance(event, NotificationReceived) and title is not None:
            log.debug("{meter} pushed from {peer}", meter=title, peer=peer)
            self._collect[title]()
            return
        if isinstance(event, NotificationReceived) or event.cause is NotificationRefusal.REPLAY:
            log.debug("a push from {peer} came late or twice", peer=peer)
            return
        cause = event.cause.name.lower().replace("_", " ")
        log.warn("a push from {peer} as {meter} was passed over: {cause}", peer=peer, meter=title, cause=cause)
