"""What each kind of command does with a meter over an open management session; kinds and parameters as agreed on.

Parameters are checked when a command is parsed (InvalidValueError), before anything is said to a meter. Whatever may
be asked twice is: each operation may be repeated after its answer was lost, by the meter's own ids or because it
writes a state and not a step. Amounts are minor units. Imported by this package.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, ClassVar

import msgspec

from dlms_objects.classes.catalogue import CLOCK_NAME, SUPPLY
from dlms_objects.classes.fee_item_class import FEE_ITEM, PARAMETERS, fee_item_name
from dlms_objects.classes.purse_class import PURSE, PURSE_NAME, SETTINGS
from dlms_objects.classes.shape import Shape, from_plain, to_plain
from dlms_objects.classes.standard import CLOCK, DISCONNECT_CONTROL
from dlms_objects.errors import InvalidValueError
from dlms_objects.transport.remote_object import RemoteObject, Session
from dlms_objects.values.civil import time_zone
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName
from gateway.commands.model import Result
from gateway.commands.reading import plain_value

ACCEPTED = ("done", "repeated")
NOT_READ_BACK = "what was written is not what is read back"

_NO_ID = "0" * 32
_SUPPLY_STATES = ("disconnected", "connected", "ready_for_reconnection")
_READY = 2

Number = Annotated[int, msgspec.Meta(ge=1, le=32)]
Identifier = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
Amount = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The session, what time it is (aware), and whether an attempt before this one may have had its effect."""

    session: Session
    now: Callable[[], datetime]
    is_repeat: bool

    @property
    def purse(self) -> RemoteObject:
        """The meter's purse."""
        return RemoteObject(self.session, PURSE, PURSE_NAME)

    def fee_item(self, number: int) -> RemoteObject:
        """A fee item, 1..32."""
        return RemoteObject(self.session, FEE_ITEM, fee_item_name(number))


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The checked parameters of a command. `is_money`: it must not be given up while its effect is not known.

    `commutes`: its place among the other commands of a meter does not matter.
    """

    is_money: ClassVar[bool] = False
    commutes: ClassVar[bool] = False

    async def carry_out(self, at: Situation) -> Result:
        """Do it and read back; what the session raises passes through."""
        raise NotImplementedError


class SetFeeItem(Order, frozen=True):
    """Write a fee item's parameters, at once or for an instant to come."""

    number: Number
    parameters: dict[str, Any]
    activation_time: Moment | None = None

    def __post_init__(self) -> None:
        """Refuse parameters that are none."""
        from_plain(PARAMETERS, self.parameters, "parameters")

    async def carry_out(self, at: Situation) -> Result:
        """See `Order`. A change that waits already is called off first, so that no mixture of two is ever armed."""
        item = at.fee_item(self.number)
        if self.activation_time is None:
            await item.set("parameters", self.parameters)
            is_done = await self._is_in_force(item)
        else:
            moment = self.activation_time.replace(microsecond=0)
            is_done = await self._is_armed(item, moment)
            if not is_done and at.is_repeat and moment <= at.now():
                is_done = await self._is_in_force(item)
            if not is_done:
                await self._arm(item, moment)
                is_done = await self._is_armed(item, moment) or await self._is_in_force(item)
        if not is_done:
            return Result.failed(NOT_READ_BACK)
        return Result.confirmed(revision=await item.get("revision"))

    async def _arm(self, item: RemoteObject, moment: datetime) -> None:
        if await item.get("passive_parameters") is not None or await item.get("activation_time") is not None:
            await item.call("cancel_passive", 0)
        await item.set("passive_parameters", self.parameters)
        await item.set("activation_time", moment.isoformat())

    async def _is_armed(self, item: RemoteObject, moment: datetime) -> bool:
        if await item.get("passive_parameters") != _as_read(PARAMETERS, self.parameters):
            return False
        shown = await item.get("activation_time")
        return shown is not None and _aware(shown, moment) == moment

    async def _is_in_force(self, item: RemoteObject) -> bool:
        return bool(await item.get("parameters") == _as_read(PARAMETERS, self.parameters))


class _OfFeeItem(Order, frozen=True):
    number: Number
    method: ClassVar[str]

    async def carry_out(self, at: Situation) -> Result:
        """See `Order`; on a repeat, nothing left to act on means that the attempt before did it."""
        outcome = await at.fee_item(self.number).call(self.method, self._arguments())
        if outcome in ACCEPTED or (at.is_repeat and outcome == "no_such_entry"):
            return Result.confirmed(outcome=outcome)
        return Result.refused(outcome)

    def _arguments(self) -> Any:
        return 0


class CancelFeeItemChange(_OfFeeItem, frozen=True):
    """Forget the parameters that wait for their time."""

    method: ClassVar[str] = "cancel_passive"


class DeleteFeeItem(_OfFeeItem, frozen=True):
    """Unconfigure a fee item."""

    method: ClassVar[str] = "delete"


class CancelAmount(_OfFeeItem, frozen=True):
    """Forget the amount set for the occurrence of a day."""

    due: date
    is_money: ClassVar[bool] = True
    method: ClassVar[str] = "cancel_amount"

    def _arguments(self) -> Any:
        return {"due": self.due.isoformat()}


class SetAmount(Order, frozen=True):
    """Set the amount of the occurrence of a day."""

    number: Number
    due: date
    amount_minor: Amount
    reference: Identifier
    is_money: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse the id that is none: with it a repeat would be a second order."""
        _require_id("reference", self.reference)

    async def carry_out(self, at: Situation) -> Result:
        """See `Order`; `is_pending` False: it is deducted, or another took its place since."""
        item = at.fee_item(self.number)
        due = self.due.isoformat()
        amount = {"due": due, "amount": self.amount_minor, "reference": self.reference}
        outcome = await item.call("set_amount", amount)
        if outcome not in ACCEPTED:
            return Result.refused(outcome)
        pending = [row for row in await item.get("pending_amounts") if row["reference"] == self.reference]
        if any((row["due"], row["amount"]) != (due, self.amount_minor) for row in pending):
            return Result.failed(NOT_READ_BACK)
        return Result.confirmed(outcome=outcome, is_pending=bool(pending))


class _OfPurse(Order, frozen=True):
    transaction_id: Identifier
    is_money: ClassVar[bool] = True
    commutes: ClassVar[bool] = True
    method: ClassVar[str]

    def __post_init__(self) -> None:
        """Refuse the id that is none."""
        _require_id("transaction_id", self.transaction_id)

    async def carry_out(self, at: Situation) -> Result:
        """See `Order`; `repeated` is the first answer once more."""
        arguments = {"transaction_id": self.transaction_id, **self._arguments()}
        answer = await at.purse.call(self.method, arguments)
        if answer["outcome"] not in ACCEPTED:
            return Result.refused(answer["outcome"])
        return Result.confirmed(outcome=answer["outcome"], sequence=answer["sequence"], balance_minor=answer["balance"])

    def _arguments(self) -> dict[str, int]:
        raise NotImplementedError


class TopUp(_OfPurse, frozen=True):
    """Put money in."""

    amount_minor: Amount
    method: ClassVar[str] = "top_up"

    def _arguments(self) -> dict[str, int]:
        return {"amount": self.amount_minor}


class Adjust(TopUp, frozen=True):
    """Correct the balance by a signed amount."""

    method: ClassVar[str] = "adjust"


class Reverse(_OfPurse, frozen=True):
    """Undo one entry of the journal."""

    sequence: Annotated[int, msgspec.Meta(ge=1, le=2**32 - 1)]
    method: ClassVar[str] = "reverse"

    def _arguments(self) -> dict[str, int]:
        return {"sequence": self.sequence}


class PurseSettings(Order, frozen=True):
    """Write the purse's settings, all nine."""

    low_balance_threshold: int
    overdraft_limit: int
    maximum_balance: int
    maximum_top_up: int
    check_period_s: int
    look_ahead_s: int
    insufficient_policy: str
    max_catch_up: int
    time_zone: str

    def __post_init__(self) -> None:
        """Refuse what does not fit their types."""
        from_plain(SETTINGS, msgspec.structs.asdict(self), "settings")

    async def carry_out(self, at: Situation) -> Result:
        """See `Order`."""
        wanted = msgspec.structs.asdict(self)
        await at.purse.set("settings", wanted)
        shown = await at.purse.get("settings")
        return Result.confirmed() if shown == _as_read(SETTINGS, wanted) else Result.failed(NOT_READ_BACK)


class SetClock(Order, frozen=True):
    """Set the meter's clock to the gateway's, when they are at most `maximum_step_s` apart."""

    maximum_step_s: Annotated[int, msgspec.Meta(ge=0)]

    async def carry_out(self, at: Situation) -> Result:
        """See `Order`; drifts are whole seconds, the meter's time less the gateway's."""
        clock = RemoteObject(at.session, CLOCK, CLOCK_NAME)
        zone = time_zone((await at.purse.get("settings"))["time_zone"])
        before_s = _drift_s(await clock.get("time"), at.now().astimezone(zone))
        if before_s is None:
            return Result.refused("the meter's clock shows no time")
        if abs(before_s) > self.maximum_step_s:
            words = f"the clock is {before_s:+d} s off, more than {self.maximum_step_s} s"
            return Result.refused(words, drift_s=before_s)
        await clock.set("time", at.now().astimezone(zone).replace(microsecond=0).isoformat())
        after_s = _drift_s(await clock.get("time"), at.now().astimezone(zone))
        return Result.confirmed(drift_s=before_s, drift_after_s=after_s)


class SwitchSupply(Order, frozen=True):
    """Connect or disconnect the household's supply."""

    connected: bool

    async def carry_out(self, at: Situation) -> Result:
        """See `Order`; a supply that is ready for the resident's own hand counts as connected."""
        supply = RemoteObject(at.session, DISCONNECT_CONTROL, SUPPLY)
        await supply.call("remote_reconnect" if self.connected else "remote_disconnect", 0)
        is_on, control = await supply.get("output_state"), await supply.get("control_state")
        state = _SUPPLY_STATES[control] if control < len(_SUPPLY_STATES) else str(control)
        if is_on == self.connected or (self.connected and control == _READY):
            return Result.confirmed(output_state=is_on, control_state=state)
        return Result.refused(f"the supply is {state}", output_state=is_on, control_state=state)


class Read(Order, frozen=True):
    """Read one attribute of any object."""

    class_id: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
    logical_name: str
    attribute: Annotated[int, msgspec.Meta(ge=1, le=127)]

    def __post_init__(self) -> None:
        """Refuse a name that is none."""
        LogicalName.parse(self.logical_name)

    async def carry_out(self, at: Situation) -> Result:
        """See `Order`."""
        name = LogicalName.parse(self.logical_name)
        octets = await at.session.get(AttributeDescriptor(self.class_id, name, self.attribute))
        return plain_value(self.class_id, self.attribute, octets)


class ReadFeeItem(Order, frozen=True):
    """Read all of a fee item."""

    number: Number

    async def carry_out(self, at: Situation) -> Result:
        """See `Order`."""
        item = at.fee_item(self.number)
        return Result.confirmed(**{each.name: await item.get(each.name) for each in FEE_ITEM.attributes[1:]})


KINDS: Mapping[str, type[Order]] = {
    "set_fee_item": SetFeeItem,
    "cancel_fee_item_change": CancelFeeItemChange,
    "delete_fee_item": DeleteFeeItem,
    "set_amount": SetAmount,
    "cancel_amount": CancelAmount,
    "top_up": TopUp,
    "reverse": Reverse,
    "adjust": Adjust,
    "settings": PurseSettings,
    "clock": SetClock,
    "supply": SwitchSupply,
    "read": Read,
    "read_fee_item": ReadFeeItem,
}


def parse(kind: str, parameters: Mapping[str, Any]) -> Order:
    """The order that these parameters make; InvalidValueError for an unknown kind or wrong parameters."""
    if kind not in KINDS:
        raise InvalidValueError(f"this gateway knows no command {kind!r}")
    try:
        return msgspec.convert(dict(parameters), type=KINDS[kind])
    except msgspec.ValidationError as error:
        raise InvalidValueError(f"{kind}: {error}") from error


def _require_id(name: str, identifier: str) -> None:
    if identifier == _NO_ID:
        raise InvalidValueError(f"{name} is all zero, which stands for none")


def _as_read(shape: Shape, plain: Any) -> Any:
    return to_plain(shape, from_plain(shape, plain))


def _aware(shown: str, reference: datetime) -> datetime:
    moment = datetime.fromisoformat(shown)
    return moment.replace(tzinfo=reference.tzinfo) if moment.tzinfo is None else moment


def _drift_s(shown: str | None, now: datetime) -> int | None:
    return None if shown is None else int((_aware(shown, now) - now).total_seconds())
