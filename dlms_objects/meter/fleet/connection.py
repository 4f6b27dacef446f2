"""One client's connection to a fleet: the first frame's destination says which meter it is for, the rest goes there.

Between the client and the meter's own connection (`meter.connection`) stand the faults. A connection whose first frame
is for nobody, or for a meter that is away, is closed. Frames for another meter later on are that meter's own refusals:
one connection is one meter's.
"""

from collections import Counter, deque
from collections.abc import Callable, Mapping

from twisted.internet.interfaces import IAddress, IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from dlms_objects.meter.connection import IMeterTransport, MeterConnection
from dlms_objects.meter.fleet.faults import Fault, Faults
from dlms_objects.meter.fleet.hosted_meter import HostedMeter
from dlms_objects.meter.open_connections import OpenConnections
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.wrapper import first_destination

FIRST_FRAME_S = 15.0  # how long a client may take to say whom it wants

log = Logger()


class FleetFactory(Factory):
    """Makes the connections of a fleet, up to a limit; `counts` says what came of them."""

    noisy = False

    def __init__(self, reactor: IReactorTime, meters: Mapping[int, HostedMeter], faults: Faults, limit: int) -> None:
        """`meters` by their SAPs; at most `limit` connections are open at a time, a further one is closed at once."""
        self.reactor = reactor
        self.meters = meters
        self.faults = faults
        self.open = OpenConnections[FleetConnection]()
        self.counts: Counter[str] = Counter()
        self._limit = limit

    def buildProtocol(self, addr: IAddress | None) -> "FleetConnection | None":  # noqa: N802 - Twisted's name
        """A connection, or None when there are too many."""
        if len(self.open) >= self._limit:
            self.counts["too many"] += 1
            return None
        self.counts["connections"] += 1
        return FleetConnection(self, addr)


class FleetConnection(Protocol):
    """A client's connection; to the meter's own connection it is the transport, as far as that asks for one."""

    transport: IMeterTransport

    def __init__(self, fleet: FleetFactory, address: IAddress | None) -> None:
        """`fleet` holds what all connections share."""
        self._fleet = fleet
        self._address = address
        self._first = b""
        self._host: HostedMeter | None = None
        self._inner: MeterConnection | None = None
        self._is_ended = False
        self._patience: IDelayedCall | None = None
        self._to_client = _Way(fleet, self._write)
        self._to_meter = _Way(fleet, self._deliver)

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Wait for the first frame."""
        self._fleet.open.opened(self)
        self._patience = self._fleet.reactor.callLater(FIRST_FRAME_S, self.abort)

    def dataReceived(self, octets: bytes) -> None:  # noqa: N802 - Twisted's name
        """Find the meter, then pass on what comes."""
        if self._is_ended:
            return
        if self._inner is None:
            self._first += octets
            if not self._find_meter():
                return
            octets, self._first = self._first, b""
        host = self._host
        assert host is not None
        host.check_due_s = 0.0
        self._to_meter.pass_on(octets, host.sap)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        """Forget the connection."""
        self._is_ended = True
        self._be_patient_no_more()
        for way in (self._to_client, self._to_meter):
            way.forget()
        if self._inner is not None:
            self._inner.connectionLost(reason)
        if self._host is not None:
            self._host.connections.closed(self)
        self._fleet.open.closed(self)

    def drop(self) -> None:
        """Close after what was written."""
        if self._inner is None:
            self.abort()
        else:
            self._inner.drop()

    def abort(self) -> None:
        """Close at once."""
        self._is_ended = True
        self.transport.abortConnection()

    def _find_meter(self) -> bool:
        """Whether the first frame is known to be for a meter that is there; if not there, the connection is closed."""
        fleet = self._fleet
        try:
            destination = first_destination(self._first)
        except MalformedError as error:
            fleet.counts["for nobody"] += 1
            log.warn("a connection was closed: {error}", error=error)
            self.abort()
            return False
        if destination is None:
            return False
        host = fleet.meters.get(destination)
        if host is None:
            fleet.counts["for nobody"] += 1
            log.warn("a connection was closed: no meter has the SAP {sap}", sap=destination)
        elif host.factory is None:
            fleet.counts["meter away"] += 1
        elif not fleet.faults.is_refused(host.sap):
            self._inner = host.factory.buildProtocol(self._address)
        if host is None or self._inner is None:
            self.abort()
            return False
        self._be_patient_no_more()
        self._host = host
        host.connections.opened(self)
        self._inner.makeConnection(self)  # type: ignore[no-untyped-call]
        return True

    def _be_patient_no_more(self) -> None:
        if self._patience is not None and self._patience.active():
            self._patience.cancel()

    def _deliver(self, octets: bytes) -> None:
        if self._inner is not None and not self._is_ended:
            self._inner.dataReceived(octets)

    def _write(self, octets: bytes) -> None:
        if not self._is_ended:
            self.transport.write(octets)

    # --- what the meter's own connection asks of its transport ---

    def write(self, octets: bytes) -> None:
        """An answer of the meter on its way to the client, unless it restarts instead."""
        host = self._host
        if host is None or self._is_ended:
            return
        if self._fleet.faults.restarts(host.sap):
            host.lose_power(self._fleet.faults.config.away_s)
            return
        self._to_client.pass_on(octets, host.sap)

    def loseConnection(self) -> None:  # noqa: N802 - Twisted's name
        """Close after what was written, and that without further delay."""
        self._to_client.release()
        self.transport.loseConnection()

    def abortConnection(self) -> None:  # noqa: N802 - Twisted's name
        """Close at once."""
        self.abort()

    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:  # noqa: N802 - Twisted's name
        """Passed on."""
        self.transport.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:  # noqa: N802 - Twisted's name
        """Passed on."""
        self.transport.unregisterProducer()

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Passed on."""
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Passed on."""
        self.transport.resumeProducing()

    def getPeer(self) -> IAddress:  # noqa: N802 - Twisted's name
        """Passed on."""
        return self.transport.getPeer()


class _Way:
    """One direction of a connection with its faults; while a message is late, what follows waits behind it."""

    __slots__ = ("_call", "_fleet", "_held", "_sink")

    def __init__(self, fleet: FleetFactory, sink: Callable[[bytes], None]) -> None:
        self._fleet = fleet
        self._sink = sink
        self._held: deque[bytes] | None = None
        self._call: IDelayedCall | None = None

    def pass_on(self, octets: bytes, sap: int) -> None:
        """Pass a message on as far as the faults let it."""
        faults = self._fleet.faults
        fault = faults.of_message(sap)
        if fault is Fault.DROP:
            return
        if fault is Fault.TRUNCATE:
            octets = faults.truncated(octets, sap)
        elif fault is Fault.CORRUPT:
            octets = faults.corrupted(octets, sap)
        elif fault is Fault.DUPLICATE:
            octets += octets
        elif fault is Fault.DELAY and self._held is None:
            self._held = deque()
            self._call = self._fleet.reactor.callLater(faults.config.delay_s, self.release)
        if self._held is not None:
            self._held.append(octets)
        elif octets:
            self._sink(octets)

    def release(self) -> None:
        """What is late arrives."""
        held = self._held or ()
        self.forget()
        for octets in held:
            self._sink(octets)

    def forget(self) -> None:
        """What is late never arrives."""
        self._held = None
        if self._call is not None and self._call.active():
            self._call.cancel()
