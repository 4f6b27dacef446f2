"""One meter put together: store, clock, purse and objects behind the access table. Sans-I/O but for its store.

The service feeds it the real time and the requests of its connections; the clock here turns real time into the meter's.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property, partial
from zoneinfo import ZoneInfo

from dlms_objects.classes.catalogue import (
    ACCOUNT_NAME,
    ACTIVE_ENERGY_IMPORT,
    ALARM_REGISTER,
    ASSOCIATIONS,
    CHARGE_COLLECTION_HISTORY,
    CLOCK_NAME,
    CONSUMER_MESSAGE,
    COURIER_PATH,
    CREDIT_NAME,
    DEVICE_NAME,
    HDLC_SETUP_NAME,
    PUSH_SETUP_NAME,
    SAP_ASSIGNMENT_NAME,
    SERIAL_NUMBER,
    SERVER_SAP,
    SUPPLY,
    TCP_UDP_SETUP_NAME,
    TOKEN_CREDIT_HISTORY,
    AssociationDeclaration,
    association_name,
    charge_name,
    invocation_counter_name,
    security_setup_name,
)
from dlms_objects.classes.courier_class import COURIER_NAME
from dlms_objects.classes.fee_item_class import FEE_ITEM_COUNT, fee_item_name
from dlms_objects.classes.purse_class import EVENT_LOG_NAME, JOURNAL_NAME, PURSE_NAME
from dlms_objects.classes.standard import REGISTER
from dlms_objects.meter.account_objects import FeeItemObject, PurseObject
from dlms_objects.meter.alarm_register_object import AlarmRegisterObject
from dlms_objects.meter.alarms import Alarm, standing
from dlms_objects.meter.clock import MeterClock
from dlms_objects.meter.clock_watch import step_back
from dlms_objects.meter.consumer_message import consumer_message
from dlms_objects.meter.consumption import SeededConsumption
from dlms_objects.meter.cosem_object import CosemObject, Requester, constant
from dlms_objects.meter.courier_keeper import CourierKeeper
from dlms_objects.meter.courier_object import CourierObject, CourierSecuritySetup
from dlms_objects.meter.device_objects import (
    AssociationObject,
    ClockObject,
    data_object,
    device_name,
    energy_register,
)
from dlms_objects.meter.disconnect_control_object import DisconnectControlObject
from dlms_objects.meter.history_source import HistorySource
from dlms_objects.meter.key_keeper import KeyKeeper
from dlms_objects.meter.logical_device import ActionOutcome, LogicalDevice
from dlms_objects.meter.meter_keys import MeterKeys
from dlms_objects.meter.payment_objects import account_object, charge_object, credit_object
from dlms_objects.meter.profile_objects import EventSource, JournalSource, ProfileObject
from dlms_objects.meter.purse_keeper import PurseKeeper
from dlms_objects.meter.push_keeper import PushKeeper
from dlms_objects.meter.push_setup_object import PushSetupObject
from dlms_objects.meter.security_setup_object import SecuritySetupObject
from dlms_objects.meter.store import History, MeterStore
from dlms_objects.meter.supply_keeper import SupplyKeeper
from dlms_objects.meter.ways import Ways, hdlc_setup, sap_assignment, tcp_udp_setup
from dlms_objects.purse.outcome import EventCode
from dlms_objects.purse.prompt import status
from dlms_objects.purse.state import PurseState
from dlms_objects.purse.supply import SupplyPolicy
from dlms_objects.values import data as cosem
from dlms_objects.values.civil import time_zone
from dlms_objects.values.data import Data
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.parameters import LARGEST_PDU_OCTETS, USUAL_CONFORMANCE, ServerParameters

CHALLENGE_OCTETS = 16
_PUSHES = Conformance.DATA_NOTIFICATION | Conformance.EVENT_NOTIFICATION
SERVED_CONFORMANCE = (USUAL_CONFORMANCE | Conformance.GENERAL_BLOCK_TRANSFER) & ~_PUSHES
"""Every service of the engine; nothing is pushed inside an association."""


class Meter:
    """A running meter. `now` maps real seconds to its time; `advance` makes the checks that have come due."""

    def __init__(
        self,
        store: MeterStore,
        clock: MeterClock,
        consumption: SeededConsumption,
        keys: MeterKeys,
        supply_policy: SupplyPolicy | None = None,
        server_sap: int = SERVER_SAP,
    ) -> None:
        """Put the objects together; nothing is checked or logged before `start`. `keys` are those in the store.

        Without `supply_policy` the meter never switches the supply by itself. `server_sap` is the SAP of the logical
        device, which tells it from others behind the same address.
        """
        self.server_sap = server_sap
        self._store = store
        self._clock = clock
        self.supply = supply = SupplyKeeper(store, supply_policy, consumption.energy_wh)
        energy = AttributeDescriptor(REGISTER.class_id, ACTIVE_ENERGY_IMPORT, 2)
        self.keeper = PurseKeeper(store, lambda now: {energy: supply.energy_wh(now)}, supply.after_check)
        self.system_title = self.keeper.state.title
        self._real_s = 0.0  # when the meter last advanced
        self.ways = Ways(devices=self._alone)  # who opens ports and lines for it says so here
        self.key_keeper = KeyKeeper(store, keys, SERVED_CONFORMANCE)
        self.pushes = PushKeeper(store, self.keeper, self.key_keeper, server_sap)
        self.courier = CourierKeeper(store, self.keeper, self.key_keeper, self._act)

    @cached_property
    def device(self) -> LogicalDevice:
        """The objects behind the access table."""
        return LogicalDevice(_Objects(self))

    @property
    def clock(self) -> MeterClock:
        """The clock as it runs now."""
        return self._clock

    @property
    def store(self) -> MeterStore:
        """Where all of it is kept; also the journal that the purse's rules ask."""
        return self._store

    def start(self, real_s: float) -> None:
        """Power up: save the clock, verify the journal, note it (and a clock that went back), make the first check."""
        self._store.save_clock(self._clock)
        now = self._clock.now(real_s)
        self.keeper.verify_journal(now)
        step = step_back(self._store.last_event_instant(), now)
        self.keeper.note(now, EventCode.POWER_UP)
        if step is not None:
            self.keeper.note(now, EventCode.CLOCK_SET, value=int(step.total_seconds()))
        self.advance(real_s)

    def host_clock_stepped(self, real_s: float, step: timedelta) -> None:
        """Note that the clock was not set by anybody here, and check at once by the new time."""
        self._real_s = real_s
        self.keeper.clock_was_set(self._clock.now(real_s), step)

    def advance(self, real_s: float) -> datetime:
        """Make the checks that have come due; the meter's time, after every one of them."""
        self._real_s = real_s
        now = self._clock.now(real_s)
        self.keeper.advance(now, replay=self._clock.rate != 1.0)
        return now

    def due(self, real_s: float) -> list[datetime]:
        """The times of the checks that have come due, for who makes them together with those of other meters."""
        self._real_s = real_s
        return self.keeper.due(self._clock.now(real_s), replay=self._clock.rate != 1.0)

    @property
    def next_due_s(self) -> float:
        """The real second at which the next check comes due, as the clock runs now."""
        return self._clock.real_s(self.keeper.next_check)

    def server_parameters(self, inactivity_s: float, *, is_local: bool = False) -> ServerParameters:
        """What a server association of this meter needs; one for all connections, so that challenges are remembered.

        `is_local`: for a line that is the meter's local port, over which the resident may come.
        """
        return ServerParameters(
            server_sap=self.server_sap,
            system_title=self.system_title,
            roles=self.key_keeper.roles(is_local=is_local),
            counters=self.key_keeper.counters,
            challenge_source=_challenge,
            max_pdu=LARGEST_PDU_OCTETS,
            inactivity_s=inactivity_s,
        )

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _act(self, method: MethodDescriptor, parameter: bytes | None, requester: Requester) -> ActionOutcome:
        return self.device.action(method, parameter, requester)

    def _zone(self) -> ZoneInfo:
        return time_zone(self.keeper.state.settings.time_zone)

    def _set_clock(self, wanted: datetime) -> None:
        """Set the clock, durably, and go on by the new time; it steps from what the request was made at."""
        clock = self._clock.set_to(wanted, self._real_s)
        step = wanted - self._clock.now(self._real_s)
        self._store.save_clock(clock)
        self._clock = clock
        self.keeper.clock_was_set(wanted, step)

    def _transfer_keys(self, client_sap: int, transfers: Iterable[tuple[int, bytes]], now: datetime) -> None:
        self.key_keeper.transfer(client_sap, transfers, self.keeper.stamp(now))

    def _change_secret(self, client_sap: int, secret: bytes, now: datetime) -> None:
        self.key_keeper.change_secret(client_sap, secret, self.keeper.stamp(now))

    def _association(self, declared: AssociationDeclaration | None) -> CosemObject:
        return AssociationObject(declared, LARGEST_PDU_OCTETS, self.server_sap, self._change_secret)

    def _history(self, history: History) -> CosemObject:
        return ProfileObject(HistorySource(self._store, history), self._zone)

    def _alone(self) -> list[tuple[int, bytes]]:
        return [(self.server_sap, device_name(self.system_title))]

    def _state(self) -> PurseState:
        return self.keeper.state

    def _standing_alarms(self, now: datetime) -> Alarm:
        flags = status(self.keeper.state, now, self.keeper.registers(now)).flags
        return standing(flags, has_supply=self.supply.is_on)

    def _consumer_message(self, requester: Requester) -> Data:
        registers = self.keeper.registers(requester.now)
        return cosem.utf8_string(consumer_message(self.keeper.state, requester.now, registers))

    def _security_setup(self, association: AssociationDeclaration) -> CosemObject:
        return SecuritySetupObject(association, self.system_title, self._transfer_keys)

    def _counter(self, client_sap: int) -> CosemObject:
        return data_object(lambda _requester: cosem.double_long_unsigned(self.key_keeper.highest_received(client_sap)))

    def _fee_item(self, number: int) -> CosemObject:
        return FeeItemObject(number, self.keeper, self._store)

    def _charge(self, number: int) -> CosemObject:
        return charge_object(number, self._state)


class _Objects(Mapping[LogicalName, CosemObject]):
    """The objects of a meter, each made when it is asked and then forgotten; what lasts is with keepers and store.

    With all of them kept, a meter of a fleet that someone reads whole would take 200 KB more.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def __getitem__(self, name: LogicalName) -> CosemObject:
        return _MAKERS[name](self._meter)

    def __iter__(self) -> Iterator[LogicalName]:
        return iter(_MAKERS)

    def __len__(self) -> int:
        return len(_MAKERS)


_Maker = Callable[[Meter], CosemObject]


def _single_makers() -> Iterator[tuple[LogicalName, _Maker]]:
    """What makes each object of which there is one."""
    yield DEVICE_NAME, lambda meter: data_object(constant(cosem.octet_string(device_name(meter.system_title))))
    yield SERIAL_NUMBER, lambda meter: data_object(constant(cosem.visible_string(meter._store.serial_number())))
    yield CLOCK_NAME, lambda meter: ClockObject(meter._zone, meter._set_clock)
    yield ACTIVE_ENERGY_IMPORT, lambda meter: energy_register(meter.supply.energy_wh)
    yield CONSUMER_MESSAGE, lambda meter: data_object(meter._consumer_message)
    yield SUPPLY, lambda meter: DisconnectControlObject(meter.supply, meter.keeper)
    yield COURIER_NAME, lambda meter: CourierObject(meter.courier)
    yield (
        security_setup_name(COURIER_PATH.number),
        lambda meter: CourierSecuritySetup(meter.system_title, meter.courier.head_end_title, meter._transfer_keys),
    )
    yield PUSH_SETUP_NAME, lambda meter: PushSetupObject(meter.pushes)
    yield SAP_ASSIGNMENT_NAME, lambda meter: sap_assignment(lambda: meter.ways)
    yield HDLC_SETUP_NAME, lambda meter: hdlc_setup(lambda: meter.ways)
    yield TCP_UDP_SETUP_NAME, lambda meter: tcp_udp_setup(lambda: meter.ways)
    yield ALARM_REGISTER, lambda meter: AlarmRegisterObject(meter._store, meter._standing_alarms)
    yield PURSE_NAME, lambda meter: PurseObject(meter.keeper, meter._store)
    yield JOURNAL_NAME, lambda meter: ProfileObject(JournalSource(meter._store), meter._zone)
    yield EVENT_LOG_NAME, lambda meter: ProfileObject(EventSource(meter._store), meter._zone)
    yield CHARGE_COLLECTION_HISTORY, lambda meter: meter._history(History.CHARGE_COLLECTION)
    yield TOKEN_CREDIT_HISTORY, lambda meter: meter._history(History.TOKEN_CREDIT)
    yield ACCOUNT_NAME, lambda meter: account_object(meter._state)
    yield CREDIT_NAME, lambda meter: credit_object(meter._state)


def _numbered_makers() -> Iterator[tuple[LogicalName, _Maker]]:
    """What makes the objects of each association and of each fee item."""
    yield association_name(0), lambda meter: meter._association(None)
    for association in ASSOCIATIONS:
        number = association.number
        yield association_name(number), partial(Meter._association, declared=association)
        yield security_setup_name(number), partial(Meter._security_setup, association=association)
        if association.is_ciphered:
            yield invocation_counter_name(number), partial(Meter._counter, client_sap=association.client_sap)
    for number in range(1, FEE_ITEM_COUNT + 1):
        yield fee_item_name(number), partial(Meter._fee_item, number=number)
        yield charge_name(number), partial(Meter._charge, number=number)


_MAKERS: Mapping[LogicalName, _Maker] = dict((*_single_makers(), *_numbered_makers()))


def _challenge() -> bytes:
    return secrets.token_bytes(CHALLENGE_OCTETS)
