"""The front panel of a running meter: its view, the amounts typed in, the courier's frames. Sans-I/O.

What a person types in goes through the same rule as `set_amount` over DLMS. The form's name becomes its reference, so
a key pressed twice, or again after a power cut, sets an amount once. Imported by the panel's site.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from twisted.logger import Logger

from dlms_objects.classes.catalogue import ASSOCIATIONS, Role
from dlms_objects.classes.courier_class import COURIER, COURIER_NAME
from dlms_objects.classes.courier_frames import courier_frames
from dlms_objects.errors import InvalidValueError
from dlms_objects.meter import panel_texts as texts
from dlms_objects.meter.cosem_object import Requester
from dlms_objects.meter.meter import SERVED_CONFORMANCE, Meter
from dlms_objects.meter.panel_pin import PinHash, PinKeeper
from dlms_objects.meter.panel_texts import Text
from dlms_objects.meter.panel_view import EntryLock, PanelView, panel_view
from dlms_objects.meter.store import StorageError
from dlms_objects.purse import item_operations
from dlms_objects.purse.outcome import OutcomeCode
from dlms_objects.purse.parameters import AmountSource
from dlms_objects.purse.state import PurseState
from dlms_objects.values.logical_name import AttributeDescriptor
from dlms_objects.values.money import Money
from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire import axdr
from dlms_objects.wire.parameters import LARGEST_PDU_OCTETS

_BATCH: Final = AttributeDescriptor(COURIER.class_id, COURIER_NAME, 2)
_PUBLIC: Final = next(association for association in ASSOCIATIONS if association.role is Role.PUBLIC)
_REFERENCE_PREFIX: Final = b"meterpurse front panel "
_MOST_NAME: Final = 64

log = Logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedAmount:
    """What a person typed in: the PIN, which fee item (1..32) of which due day (ISO), the amount as text.

    `form` names the form it was typed into: whatever comes again with the same one is the same request.
    """

    pin: str
    number: int
    due_day: str
    amount: str
    form: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountAnswer:
    """What came of it; `is_done` also when it had been done before."""

    is_done: bool
    words: Text


class Panel:
    """The front panel of one meter."""

    def __init__(self, meter: Meter, pin: PinHash | None, seconds: Callable[[], float]) -> None:
        """`seconds` is real time since 1970; `pin` None: no amount can be typed in. StorageError."""
        self._meter = meter
        self._pin = PinKeeper(pin, meter.store)
        self._seconds = seconds

    def view(self) -> PanelView:
        """What the panel shows now."""
        now = self._now()
        keeper = self._meter.keeper
        lock = EntryLock(has_pin=self._pin.has_pin, locked_s=self._pin.locked_s(self._seconds()))
        return panel_view(keeper.state, now, keeper.registers(now), lock, supply_on=self._meter.supply.is_on)

    def enter(self, typed: TypedAmount) -> AmountAnswer:
        """Set the amount that was typed in, if the PIN is right; every refusal changes nothing and says why."""
        try:
            refusal = self._refusal_of_pin(typed.pin)
        except StorageError as error:
            log.error("a PIN could not be counted and was not tried: {error}", error=error)
            refusal = texts.REFUSALS[OutcomeCode.STORAGE_FAILED]
        if refusal is not None:
            return _refused(refusal)
        state = self._meter.keeper.state
        try:
            amount = Money.parse(typed.amount, state.currency)
        except InvalidValueError:
            return _refused(texts.NOT_AN_AMOUNT.filled(digits=-state.currency.scale))
        try:
            due = date.fromisoformat(typed.due_day)
            label = _label(state, typed.number)
        except (ValueError, InvalidValueError):
            return _refused(texts.NOT_UNDERSTOOD)
        if not 1 <= len(typed.form) <= _MOST_NAME:
            return _refused(texts.NOT_UNDERSTOOD)
        return self._set(typed, due, amount, label)

    def frames(self) -> list[str]:
        """The frames of the courier's batch; none while the meter has none to give."""
        requester = Requester(
            association=_PUBLIC,
            client_title=None,
            conformance=SERVED_CONFORMANCE,
            max_pdu=LARGEST_PDU_OCTETS,
            now=self._now(),
        )
        octets = self._meter.device.get(_BATCH, None, requester)
        return [] if isinstance(octets, DataAccessResult) else courier_frames(axdr.decode(octets).value)

    def _refusal_of_pin(self, pin: str) -> Text | None:
        real_s = self._seconds()
        if not self._pin.has_pin:
            return texts.ENTRY_NO_PIN
        if not self._pin.locked_s(real_s) and self._pin.is_right(pin, real_s):
            return None
        locked_s = self._pin.locked_s(real_s)
        log.warn("a wrong PIN at the front panel; the entry is closed for {seconds} s", seconds=locked_s)
        return texts.ENTRY_LOCKED.filled(seconds=locked_s) if locked_s else texts.WRONG_PIN

    def _set(self, typed: TypedAmount, due: date, amount: Money, label: str) -> AmountAnswer:
        now = self._now()
        reference = hashlib.sha256(_REFERENCE_PREFIX + typed.form.encode()).digest()[:16]
        change = self._meter.keeper.carry_out(
            now,
            lambda state: item_operations.set_amount(
                state, self._meter.store, now, typed.number, due, amount.minor, reference, AmountSource.MANUAL
            ),
        )
        match change.outcome:
            case OutcomeCode.DONE:
                words = texts.AMOUNT_TAKEN
            case OutcomeCode.REPEATED:
                words = texts.AMOUNT_TAKEN_BEFORE
            case refused:
                return _refused(texts.REFUSALS[refused])
        return AmountAnswer(is_done=True, words=words.filled(label=label, amount=amount))

    def _now(self) -> datetime:
        return self._meter.advance(self._seconds())


def _refused(words: Text) -> AmountAnswer:
    return AmountAnswer(is_done=False, words=words)


def _label(state: PurseState, number: int) -> str:
    parameters = state.item(number).parameters
    return "" if parameters is None else parameters.label
