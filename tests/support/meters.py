"""A meter in a folder of its own, with clients in memory: started, restarted, cut off from power, looked into."""

import shutil
from collections.abc import Awaitable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dlms_objects.classes.catalogue import ASSOCIATIONS, SERVER_SAP, Role
from dlms_objects.classes.fee_item_class import FEE_ITEM, fee_item_name
from dlms_objects.classes.interface import InterfaceClass
from dlms_objects.classes.purse_class import EVENT_LOG_NAME, JOURNAL_NAME, PURSE, PURSE_NAME
from dlms_objects.classes.standard import CLOCK, PROFILE_GENERIC
from dlms_objects.meter import setup
from dlms_objects.meter.config import MeterConfig
from dlms_objects.meter.connection import MeterFactory
from dlms_objects.meter.cosem_object import Requester
from dlms_objects.meter.service import build_meter
from dlms_objects.purse.entry import ROW_LENGTH, Entry, JournalHead
from dlms_objects.transport.client import ClientIdentity, MeterSession, client_parameters, open_session
from dlms_objects.transport.credentials import MeterCredentials, load_credentials
from dlms_objects.transport.durable_counters import open_database
from dlms_objects.transport.remote_object import RemoteObject
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire import axdr
from dlms_objects.wire.counters import Counters, MemoryReceivedCounters, MemorySentCounters
from dlms_objects.wire.parameters import LARGEST_PDU_OCTETS, USUAL_CONFORMANCE, ClientParameters
from dlms_objects.wire.selection import SelectiveAccess
from tests.support.memory_network import Line, MemoryReactor, RawPeer

if TYPE_CHECKING:
    from dlms_objects.meter.meter import Meter

T = TypeVar("T")

NOW = datetime(2026, 6, 10, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
ENDPOINT = "tcp:meter:4059"
CLIENT_TITLE = SystemTitle(b"MPG\x00\x00\x00\x00\x02")
JOURNAL_BUFFER = AttributeDescriptor(PROFILE_GENERIC.class_id, JOURNAL_NAME, 2)
EVENT_BUFFER = AttributeDescriptor(PROFILE_GENERIC.class_id, EVENT_LOG_NAME, 2)
BALANCE = AttributeDescriptor(PURSE.class_id, PURSE_NAME, 2)
CLOCK_TIME = AttributeDescriptor(CLOCK.class_id, LogicalName.parse("0.0.1.0.0.255"), 2)
DECLARED = {association.role: association for association in ASSOCIATIONS}


def identifier(number: int) -> str:
    """The caller-made id of that number (1..), as plain values have it."""
    return number.to_bytes(16, "big").hex()


class Client:
    """A session with the meter, driven by the test without waiting."""

    def __init__(self, reactor: MemoryReactor, session: MeterSession, line: Line) -> None:
        """Speak through an open session."""
        self._reactor = reactor
        self.session = session
        self.line = line

    def read(self, attribute: AttributeDescriptor, selection: SelectiveAccess | None = None) -> bytes:
        """The A-XDR octets of an attribute."""
        return self._run(self.session.get(attribute, selection))

    def write(self, attribute: AttributeDescriptor, value: bytes) -> None:
        """Write A-XDR octets."""
        self._run(self.session.set(attribute, value))

    def act(self, method: MethodDescriptor, parameter: bytes | None = None) -> bytes | None:
        """Carry out a method with A-XDR octets."""
        return self._run(self.session.action(method, parameter))

    def get(self, interface: InterfaceClass, name: LogicalName, attribute: str) -> Any:
        """An attribute as plain values."""
        return self._run(RemoteObject(self.session, interface, name).get(attribute))

    def set(self, interface: InterfaceClass, name: LogicalName, attribute: str, plain: Any) -> None:
        """Write an attribute from plain values."""
        self._run(RemoteObject(self.session, interface, name).set(attribute, plain))

    def call(self, interface: InterfaceClass, name: LogicalName, method: str, plain: Any) -> Any:
        """Carry out a method with plain values."""
        return self._run(RemoteObject(self.session, interface, name).call(method, plain))

    def purse(self, attribute: str) -> Any:
        """An attribute of the purse."""
        return self.get(PURSE, PURSE_NAME, attribute)

    def do(self, method: str, plain: Any) -> Any:
        """A method of the purse."""
        return self.call(PURSE, PURSE_NAME, method, plain)

    def item(self, attribute: str, number: int = 1) -> Any:
        """An attribute of a fee item."""
        return self.get(FEE_ITEM, fee_item_name(number), attribute)

    def set_item(self, attribute: str, plain: Any, number: int = 1) -> None:
        """Write an attribute of a fee item."""
        self.set(FEE_ITEM, fee_item_name(number), attribute, plain)

    def do_item(self, method: str, plain: Any, number: int = 1) -> Any:
        """A method of a fee item."""
        return self.call(FEE_ITEM, fee_item_name(number), method, plain)

    def top_up(self, number: int, amount: int) -> Any:
        """A top-up under the id of that number."""
        return self.do("top_up", {"transaction_id": identifier(number), "amount": amount})

    def journal(self, selection: SelectiveAccess | None = None) -> list[Entry]:
        """The journal's entries, from rows of exactly 98 octets."""
        octets = self.read(JOURNAL_BUFFER, selection)
        rows = octets[len(octets) % ROW_LENGTH :]
        assert octets[0] == 1
        return [Entry.from_row(rows[at : at + ROW_LENGTH]) for at in range(0, len(rows), ROW_LENGTH)]

    def events(self, selection: SelectiveAccess | None = None) -> list[tuple[int, int, int]]:
        """(number, code, value) of the event log's rows."""
        rows = axdr.decode(self.read(EVENT_BUFFER, selection)).value
        return [(row.value[1].value, row.value[2].value, row.value[4].value) for row in rows]

    def codes(self) -> list[int]:
        """The codes in the event log, oldest first."""
        return [code for _number, code, _value in self.events()]

    def release(self) -> None:
        """Release the association."""
        self._run(self.session.release())

    def _run(self, awaitable: Awaitable[T]) -> T:
        return self._reactor.run(awaitable)


class MeterWorld:
    """One meter and its folder; it may be restarted, and time goes on only when the test says so."""

    def __init__(self, folder: Path, *, start: bool = True, **options: Any) -> None:
        """Make a meter as `setup.create` does, and start it at NOW."""
        self.made = setup.create(folder, listen="127.0.0.1:0", **options)
        self.folder = folder
        self.reactor = MemoryReactor(NOW.timestamp())
        self.options: dict[str, Any] = {}
        self.counters = {role: fresh_counters() for role in self.made.keys}
        self.inactivity_s, self.limit = 180.0, 8
        self.meter: Meter
        self.factory: MeterFactory
        if start:
            self.start()

    @property
    def credentials(self) -> Mapping[Role, MeterCredentials]:
        """The key files' contents."""
        return {role: load_credentials(path) for role, path in self.made.keys.items()}

    @property
    def store_path(self) -> Path:
        """The store's file."""
        return self.folder / self.made.store.name

    def config(self) -> MeterConfig:
        """The configuration with the test's `options` in it."""
        return MeterConfig.model_validate(
            {"store": self.store_path, "keys": self.folder / self.made.keys[Role.READER].parent.name, **self.options}
        )

    def start(self) -> None:
        """Power on."""
        self.meter = build_meter(self.config(), self.reactor.seconds())
        self.meter.start(self.reactor.seconds())
        self.factory = MeterFactory(
            self.reactor, self.meter, self.meter.server_parameters(self.inactivity_s), self.limit
        )
        self.reactor.listener = self.factory

    def stop(self) -> None:
        """Power off in good order."""
        gone = self.factory.drop_all()
        self.reactor.settle()
        assert gone.called
        self.meter.close()

    def restart(self) -> None:
        """Power off and on."""
        self.stop()
        self.start()

    def cut_power(self, folder: Path) -> None:
        """Go on from what is on the disk at this moment, in another folder; the meter before is dead."""
        folder.mkdir()
        for path in self.folder.glob("meter.sqlite*"):
            if not path.name.endswith(("-shm", ".lock")):
                shutil.copy(path, folder)
        shutil.copytree(self.folder / "keys", folder / "keys")
        self.stop()
        self.folder = folder
        self.start()

    def pass_time(self, seconds: float, tick_s: float | None = None) -> None:
        """Let the time go on, the meter ticking at the end (or every `tick_s`)."""
        end_s = self.reactor.seconds() + seconds
        while self.reactor.seconds() < end_s:
            self.reactor.advance(min(tick_s or seconds, end_s - self.reactor.seconds()))
            self.meter.advance(self.reactor.seconds())
            self.reactor.settle()

    def parameters(self, role: Role, **changes: Any) -> ClientParameters:
        """What a rightful client of that role uses."""
        if role is Role.PUBLIC:
            return ClientParameters(client_sap=DECLARED[role].client_sap, server_sap=SERVER_SAP)
        credentials = changes.pop("credentials", self.credentials[role])
        identity = ClientIdentity(
            system_title=changes.pop("title", CLIENT_TITLE), counters=changes.pop("counters", self.counters[role])
        )
        return client_parameters(credentials, identity, **changes)

    def connect(self, role: Role = Role.MANAGEMENT, **changes: Any) -> Client:
        """An open session; raises what `open_session` raises."""
        session = self.reactor.run(open_session(self.reactor, ENDPOINT, self.parameters(role, **changes)))
        return Client(self.reactor, session, self.reactor.lines[-1])

    def dial(self, host: str | None = None) -> tuple[RawPeer, Line | None]:
        """A peer that speaks raw octets."""
        peer = RawPeer()
        return peer, self.reactor.dial(peer, host)

    def requester(self, role: Role) -> Requester:
        """Somebody with that role who asks the logical device now."""
        return Requester(
            association=DECLARED[role],
            client_title=None if role is Role.PUBLIC else CLIENT_TITLE,
            conformance=USUAL_CONFORMANCE,
            max_pdu=LARGEST_PDU_OCTETS,
            now=self.meter.advance(self.reactor.seconds()),
        )

    def sql(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What a second connection to the store's file sees, or does to it."""
        with closing(open_database(self.store_path)) as connection:
            return connection.execute(statement, parameters).fetchall()

    def empty_head(self) -> JournalHead:
        """The head of the meter's journal before the first entry."""
        return JournalHead.empty(self.made.system_title)


def fresh_counters() -> Counters:
    """Counters in memory of a client that never spoke before."""
    return Counters(sent=MemorySentCounters(), received=MemoryReceivedCounters())


def plain_parameters(**changes: Any) -> dict[str, Any]:
    """A rent of 3500.00 at 08:00 on the 1st of every month, as plain values, changed as told."""
    schedule = {
        "frequency": "monthly",
        "interval": 1,
        "day": 1,
        "time": "08:00:00",
        "first": "2026-01-01",
        "last": None,
        "count": 0,
    }
    schedule.update(changes.pop("schedule", {}))
    register = {"class_id": 0, "logical_name": "0.0.0.0.0.0", "attribute": 0}
    return {
        "kind": "rent",
        "label": "房租",
        "payee": "landlord",
        "enabled": True,
        "priority": 0,
        "amount_source": "fixed",
        "amount": 350_000,
        "unit_price": {"price": 0, "scaler": 0, "register": register},
        "schedule": schedule,
        **changes,
    }


def daily(**changes: Any) -> dict[str, Any]:
    """A fixed fee of 10.00 at 08:00 every day."""
    return plain_parameters(**{"amount": 1_000, "schedule": {"frequency": "daily", "day": 0}, **changes})
