"""The purse and the fee items over COSEM: attributes from the state, methods and writes through the keeper."""

from collections.abc import Callable
from datetime import date, datetime

from dlms_objects.classes.catalogue import Role
from dlms_objects.classes.fee_item_class import FEE_ITEM
from dlms_objects.classes.parameters_codec import UNCONFIGURED, parameters_from_data, parameters_to_data
from dlms_objects.classes.purse_class import PURSE
from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.cosem_object import AccessRefusedError, Requester
from dlms_objects.meter.moments import full_instant
from dlms_objects.meter.profile_objects import event_row
from dlms_objects.meter.purse_keeper import PurseKeeper
from dlms_objects.meter.store import MeterStore, NumberedEvent
from dlms_objects.purse import item_operations, operations
from dlms_objects.purse.entry import DIGEST_LENGTH, NO_REFERENCE, Entry, JournalHead
from dlms_objects.purse.parameters import AmountSource
from dlms_objects.purse.prompt import item_status, status
from dlms_objects.purse.state import Change, InsufficientPolicy, PurseState, Settings
from dlms_objects.values import data as cosem
from dlms_objects.values.civil import time_zone
from dlms_objects.values.cosem_time import CosemDate, CosemDateTime
from dlms_objects.values.data import NULL, Data, DataType
from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire import axdr
from dlms_objects.wire.selection import SelectiveAccess

_NO_ROW = cosem.structure(
    cosem.octet_string(CosemDateTime.NOT_SPECIFIED.octets),
    cosem.double_long_unsigned(0),
    cosem.enum(0),
    cosem.unsigned(0),
    cosem.octet_string(CosemDateTime.NOT_SPECIFIED.octets),
    cosem.long64(0),
    cosem.long64(0),
    cosem.octet_string(NO_REFERENCE),
    cosem.double_long_unsigned(0),
    cosem.octet_string(bytes(DIGEST_LENGTH)),
)
_NO_EVENT = cosem.structure(
    cosem.octet_string(CosemDateTime.NOT_SPECIFIED.octets),
    cosem.double_long_unsigned(0),
    cosem.long_unsigned(0),
    cosem.unsigned(0),
    cosem.long64(0),
    NULL,
)


class PurseObject:
    """The purse (class 20101)."""

    def __init__(self, keeper: PurseKeeper, store: MeterStore) -> None:
        """Read from the keeper's state and the store; change through the keeper."""
        self._keeper = keeper
        self._store = store
        self._getters: dict[str, Callable[[PurseState, datetime], Data]] = {
            "balance": lambda state, _now: cosem.long64(state.balance),
            "currency": lambda state, _now: cosem.structure(
                cosem.visible_string(state.currency.code), cosem.integer(state.currency.scale)
            ),
            "settings": lambda state, _now: settings_to_data(state.settings),
            "journal_head": lambda state, _now: _head(state.head),
            "acknowledged": lambda state, _now: _head(state.acknowledged),
            "status": self._status,
            "last_entry": lambda state, _now: self._last_entry(state),
            "last_event": lambda _state, _now: event_data(self._store.last_event()),
        }
        self._methods: dict[str, Callable[[tuple[Data, ...], datetime], Data]] = {
            "top_up": self._top_up,
            "reverse": self._reverse,
            "adjust": self._adjust,
            "acknowledge": self._acknowledge,
        }

    def get(self, attribute: int, selection: SelectiveAccess | None, requester: Requester) -> Data:
        """The value of an attribute."""
        _refuse_selection(selection)
        return self._getters[PURSE.attribute(attribute).name](self._keeper.state, requester.now)

    def set(self, attribute: int, value: Data, requester: Requester) -> None:
        """Write the settings, all of them; InvalidValueError when one is out of range."""
        settings = settings_from_data(value)
        _done(
            self._keeper.carry_out(requester.now, lambda state: operations.set_settings(state, requester.now, settings))
        )

    def invoke(self, method: int, parameter: Data, requester: Requester) -> Data:
        """Carry out a method; refusals are outcomes in the answer."""
        name = PURSE.method(method).name
        if name == "check_now":
            return cosem.structure(cosem.unsigned(min(self._keeper.check(requester.now), 255)))
        return self._methods[name](parameter.value, requester.now)

    def _top_up(self, members: tuple[Data, ...], now: datetime) -> Data:
        identifier, amount = (member.value for member in members)
        return _outcome(
            self._keeper.carry_out(now, lambda state: operations.top_up(state, self._store, now, identifier, amount))
        )

    def _reverse(self, members: tuple[Data, ...], now: datetime) -> Data:
        identifier, sequence = (member.value for member in members)
        return _outcome(
            self._keeper.carry_out(now, lambda state: operations.reverse(state, self._store, now, identifier, sequence))
        )

    def _adjust(self, members: tuple[Data, ...], now: datetime) -> Data:
        identifier, amount = (member.value for member in members)
        return _outcome(
            self._keeper.carry_out(now, lambda state: operations.adjust(state, self._store, now, identifier, amount))
        )

    def _acknowledge(self, members: tuple[Data, ...], now: datetime) -> Data:
        sequence, digest = (member.value for member in members)
        change = self._keeper.carry_out(now, lambda state: operations.acknowledge(state, self._store, sequence, digest))
        return cosem.enum(change.outcome)

    def _status(self, state: PurseState, now: datetime) -> Data:
        found = status(state, now, self._keeper.registers(now))
        return cosem.structure(
            cosem.bit_string(found.flags.bits()),
            cosem.long64(found.shortfall),
            cosem.octet_string(_civil(found.next_due).octets),
            cosem.long64(found.next_amount),
        )

    def _last_entry(self, state: PurseState) -> Data:
        return entry_data(self._store.entry(state.head.sequence))


class FeeItemObject:
    """A fee item (class 20102)."""

    def __init__(self, number: int, keeper: PurseKeeper, store: MeterStore) -> None:
        """Fee item `number`, 1..32, of that keeper's purse."""
        self._number = number
        self._keeper = keeper
        self._store = store

    def get(self, attribute: int, selection: SelectiveAccess | None, requester: Requester) -> Data:
        """The value of an attribute."""
        _refuse_selection(selection)
        state = self._keeper.state
        item = state.item(self._number)
        match FEE_ITEM.attribute(attribute).name:
            case "parameters":
                return parameters_to_data(item.parameters or UNCONFIGURED)
            case "passive_parameters":
                return NULL if item.passive is None else parameters_to_data(item.passive)
            case "activation_time":
                return NULL if item.activation_time is None else _moment(item.activation_time, state)
            case "revision":
                return cosem.double_long_unsigned(item.revision)
            case "pending_amounts":
                return cosem.array(
                    cosem.structure(
                        cosem.octet_string(CosemDate.from_date(pending.due).octets),
                        cosem.long64(pending.amount),
                        cosem.octet_string(pending.reference),
                        cosem.enum(pending.source),
                    )
                    for pending in item.pending
                )
            case _:
                return self._status(state, requester.now)

    def set(self, attribute: int, value: Data, requester: Requester) -> None:
        """Write parameters, passive parameters or activation time, each as a whole."""
        now, number = requester.now, self._number
        absent = value.type is DataType.NULL_DATA
        match FEE_ITEM.attribute(attribute).name:
            case "parameters":
                parameters = parameters_from_data(value)
                self._change(now, lambda state: item_operations.set_parameters(state, now, number, parameters))
            case "passive_parameters":
                passive = None if absent else parameters_from_data(value)
                self._change(now, lambda state: item_operations.set_passive(state, now, number, passive))
            case _:
                moment = None if absent else self._instant(value)
                self._change(now, lambda state: item_operations.set_activation_time(state, now, number, moment))

    def invoke(self, method: int, parameter: Data, requester: Requester) -> Data:
        """Carry out a method; the answer is its outcome."""
        now, number = requester.now, self._number
        match FEE_ITEM.method(method).name:
            case "set_amount":
                due, amount, reference = (member.value for member in parameter.value)
                by_hand = requester.association.role is Role.RESIDENT
                source = AmountSource.MANUAL if by_hand else AmountSource.CLOUD
                change = self._keeper.carry_out(
                    now,
                    lambda state: item_operations.set_amount(
                        state, self._store, now, number, _day(due), amount, reference, source
                    ),
                )
            case "cancel_amount":
                (due,) = (member.value for member in parameter.value)
                change = self._keeper.carry_out(
                    now, lambda state: item_operations.cancel_amount(state, now, number, _day(due))
                )
            case "activate_passive":
                change = self._keeper.carry_out(now, lambda state: item_operations.activate_passive(state, now, number))
            case "cancel_passive":
                change = self._keeper.carry_out(now, lambda state: item_operations.cancel_passive(state, now, number))
            case _:
                change = self._keeper.carry_out(now, lambda state: item_operations.delete_item(state, now, number))
        return cosem.enum(change.outcome)

    def _change(self, now: datetime, rule: Callable[[PurseState], Change]) -> None:
        _done(self._keeper.carry_out(now, rule))

    def _instant(self, value: Data) -> datetime:
        return full_instant(value.value, time_zone(self._keeper.state.settings.time_zone))

    def _status(self, state: PurseState, now: datetime) -> Data:
        found = item_status(state.item(self._number), state, now, self._keeper.registers(now))
        return cosem.structure(
            cosem.enum(found.state),
            cosem.octet_string(_civil(found.next_due).octets),
            cosem.long64(found.next_amount),
            _moment(found.last_deducted, state),
            cosem.long64(found.last_amount),
            cosem.long64(found.total_deducted),
            cosem.long_unsigned(found.missed),
        )


def entry_data(entry: Entry | None) -> Data:
    """A journal entry as `last_entry` shows it; None: a row of nothing."""
    return _NO_ROW if entry is None else axdr.decode(entry.row())


def event_data(event: NumberedEvent | None) -> Data:
    """An event as `last_event` shows it; None: a row of nothing."""
    return _NO_EVENT if event is None else event_row(event)


def settings_to_data(settings: Settings) -> Data:
    """The purse's settings as attribute 4."""
    return cosem.structure(
        cosem.long64(settings.low_balance_threshold),
        cosem.long64(settings.overdraft_limit),
        cosem.long64(settings.maximum_balance),
        cosem.long64(settings.maximum_top_up),
        cosem.double_long_unsigned(settings.check_period_s),
        cosem.double_long_unsigned(settings.look_ahead_s),
        cosem.enum(settings.insufficient_policy),
        cosem.unsigned(settings.max_catch_up),
        cosem.visible_string(settings.time_zone),
    )


def settings_from_data(value: Data) -> Settings:
    """Attribute 4 as settings; InvalidValueError names what is out of range, and nothing of it is taken then."""
    low, overdraft, balance, top_up, period, ahead, policy, catch_up, zone = (member.value for member in value.value)
    if policy not in tuple(InsufficientPolicy):
        raise InvalidValueError(f"insufficient_policy has no value {policy}")
    return Settings(
        low_balance_threshold=low,
        overdraft_limit=overdraft,
        maximum_balance=balance,
        maximum_top_up=top_up,
        check_period_s=period,
        look_ahead_s=ahead,
        insufficient_policy=InsufficientPolicy(policy),
        max_catch_up=catch_up,
        time_zone=zone,
    )


def _outcome(change: Change) -> Data:
    return cosem.structure(
        cosem.enum(change.outcome), cosem.double_long_unsigned(change.sequence), cosem.long64(change.balance)
    )


def _done(change: Change) -> None:
    """A write has no outcome to answer with: what could not be stored is a temporary failure."""
    if change.outcome:
        raise AccessRefusedError(DataAccessResult.TEMPORARY_FAILURE)


def _head(head: JournalHead) -> Data:
    return cosem.structure(cosem.double_long_unsigned(head.sequence), cosem.octet_string(head.digest))


def _civil(due: datetime | None) -> CosemDateTime:
    return CosemDateTime.NOT_SPECIFIED if due is None else CosemDateTime.from_civil(due)


def _moment(instant: datetime | None, state: PurseState) -> Data:
    if instant is None:
        return cosem.octet_string(CosemDateTime.NOT_SPECIFIED.octets)
    return cosem.octet_string(CosemDateTime.from_instant(instant, time_zone(state.settings.time_zone)).octets)


def _day(octets: bytes) -> date:
    day = CosemDate(octets).date()
    if day is None:
        raise InvalidValueError("a due date is a full date of the calendar")
    return day


def _refuse_selection(selection: SelectiveAccess | None) -> None:
    if selection is not None:
        raise AccessRefusedError(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
