"""One meter of a fleet: it is there, or away, and then comes back from its store as after a power cut.

It is the meter that runs alone, `meter.Meter`, with the connections that run alone; what is the fleet's is its SAP, its
household and the hour at which its next check comes due. Imported by the fleet's `connection`, `checks` and `service`.
"""

from dataclasses import dataclass
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from dlms_objects.meter.config import VirtualClockConfig
from dlms_objects.meter.connection import MeterFactory
from dlms_objects.meter.database import MeterDatabase
from dlms_objects.meter.fleet.households import Household
from dlms_objects.meter.fleet.identity import sap_of
from dlms_objects.meter.meter import Meter
from dlms_objects.meter.open_connections import Droppable, OpenConnections
from dlms_objects.meter.pusher import Pusher
from dlms_objects.meter.service import TICK_S, running_clock
from dlms_objects.meter.store import MeterStore, StorageError
from dlms_objects.meter.ways import Ways

CONNECTIONS_OF_A_METER = 32

log = Logger()


class CutConnection(Droppable, Protocol):
    """A connection that ends at once when its meter loses power."""

    def abort(self) -> None:
        """Close at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all meters of a fleet share."""

    reactor: IReactorTime
    seed: int
    clock: VirtualClockConfig
    inactivity_s: float


class HostedMeter:
    """Meter `number` of the fleet, in a store file under `number_in_file`; it is away until `power_up`."""

    def __init__(self, number: int, database: MeterDatabase, number_in_file: int, surroundings: Surroundings) -> None:
        """Nothing is read before it is powered up."""
        self.sap = sap_of(number)
        self.database = database
        self.store = MeterStore(database, number_in_file)
        self.meter: Meter | None = None
        self.factory: MeterFactory | None = None
        self.connections = OpenConnections[CutConnection]()
        self.check_due_s = 0.0  # the real second before which no check comes due; 0: ask the meter
        self._ways: Ways | None = None
        self._number = number
        self._surroundings = surroundings
        self._pusher: Pusher | None = None
        self._return: IDelayedCall | None = None

    def power_up(self) -> None:
        """Come (back) from the store: verify the journal, make the first check; StorageError when that is not to be."""
        shared, store = self._surroundings, self.store
        real_s = shared.reactor.seconds()
        keys = store.keys()
        if keys is None:
            raise StorageError(f"the store has no keys of meter {self.sap}; make the fleet anew")
        clock = running_clock(store.clock(), shared.clock, real_s)
        consumption = Household(shared.seed, self._number).consumption()
        meter = Meter(store, clock, consumption, keys, server_sap=self.sap)
        if self._ways is not None:
            meter.ways = self._ways
        meter.start(real_s)
        parameters = meter.server_parameters(shared.inactivity_s)
        self.factory = MeterFactory(shared.reactor, meter, parameters, CONNECTIONS_OF_A_METER)
        self._pusher = Pusher(shared.reactor, meter.pushes)
        self.meter, self.check_due_s = meter, 0.0

    def show(self, ways: Ways) -> None:
        """Let the meter show these ways to it, now and whenever it comes back."""
        self._ways = ways
        if self.meter is not None:
            self.meter.ways = ways

    def look_after_pushes(self, real_s: float) -> None:
        """Send what is to be pushed, after the meter's checks; while it pushes, that is wanted every second."""
        if self.meter is not None and self._pusher is not None:
            self._pusher.poke(self.meter.clock.now(real_s))
            if self.meter.pushes.settings.destinations:
                self.check_due_s = min(self.check_due_s, real_s + TICK_S)

    def lose_power(self, away_s: float) -> None:
        """Be gone at once, with every connection, and come back after that many real seconds."""
        self.meter = self.factory = None
        self._push_no_more()
        self._return = self._surroundings.reactor.callLater(away_s, self._come_back, away_s)
        for connection in self.connections:
            connection.abort()

    def stop(self) -> None:
        """Push no more, and come back no more."""
        self._push_no_more()
        if self._return is not None and self._return.active():
            self._return.cancel()

    def _push_no_more(self) -> None:
        if self._pusher is not None:
            self._pusher.stop()

    def _come_back(self, away_s: float) -> None:
        try:
            self.power_up()
        except StorageError as error:
            log.error("meter {sap} did not come back, it tries again: {error}", sap=self.sap, error=error)
            self._return = self._surroundings.reactor.callLater(away_s, self._come_back, away_s)
