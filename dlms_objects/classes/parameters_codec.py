"""Structure P both ways: the parameters of a fee item as typed COSEM data, and typed data as parameters.

The meter and everyone who configures one use these two functions; a value that does not fit is refused, never changed.
"""

from datetime import date, time
from enum import IntEnum
from typing import TypeVar

from dlms_objects.classes.fee_item_class import PARAMETERS
from dlms_objects.classes.shape import conforms
from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.parameters import AmountSource, FeeKind, Parameters, RegisterReference, UnitPrice
from dlms_objects.purse.schedule import Frequency, Schedule
from dlms_objects.values import data as cosem
from dlms_objects.values.cosem_time import CosemDate, CosemTime
from dlms_objects.values.data import Data
from dlms_objects.values.logical_name import LogicalName

_Enumeration = TypeVar("_Enumeration", bound=IntEnum)

# What an item that was never configured shows: disabled, with an empty label.
UNCONFIGURED = Parameters(
    enabled=False,
    schedule=Schedule(frequency=Frequency.ONCE, time=time(0), first=date(1970, 1, 1)),
)


def parameters_to_data(parameters: Parameters) -> Data:
    """Structure P of the object model."""
    price, schedule = parameters.unit_price, parameters.schedule
    return cosem.structure(
        cosem.enum(parameters.kind),
        cosem.utf8_string(parameters.label),
        cosem.visible_string(parameters.payee),
        cosem.boolean(parameters.enabled),
        cosem.unsigned(parameters.priority),
        cosem.enum(parameters.amount_source),
        cosem.long64(parameters.amount),
        cosem.structure(
            cosem.double_long_unsigned(price.price),
            cosem.integer(price.scaler),
            cosem.structure(
                cosem.long_unsigned(price.register.class_id),
                cosem.octet_string(price.register.logical_name.octets),
                cosem.integer(price.register.attribute),
            ),
        ),
        cosem.structure(
            cosem.enum(schedule.frequency),
            cosem.unsigned(schedule.interval),
            cosem.integer(schedule.day),
            cosem.octet_string(CosemTime.from_time(schedule.time).octets),
            cosem.octet_string(CosemDate.from_date(schedule.first).octets),
            cosem.octet_string(
                (CosemDate.NOT_SPECIFIED if schedule.last is None else CosemDate.from_date(schedule.last)).octets
            ),
            cosem.long_unsigned(schedule.count),
        ),
    )


def parameters_from_data(value: Data) -> Parameters:
    """The parameters in a structure P; InvalidValueError names what cannot be, and then nothing of it is taken."""
    if not conforms(PARAMETERS, value):
        raise InvalidValueError("not a structure of fee item parameters")
    kind, label, payee, enabled, priority, source, amount, unit_price, schedule = (m.value for m in value.value)
    return Parameters(
        kind=_member(FeeKind, kind, "kind"),
        label=label,
        payee=payee,
        enabled=enabled,
        priority=priority,
        amount_source=_member(AmountSource, source, "amount_source"),
        amount=amount,
        unit_price=_unit_price(unit_price),
        schedule=_schedule(schedule),
    )


def _unit_price(members: tuple[Data, ...]) -> UnitPrice:
    price, scaler, register = (member.value for member in members)
    class_id, logical_name, attribute = (member.value for member in register)
    return UnitPrice(
        price=price, scaler=scaler, register=RegisterReference(class_id, LogicalName(logical_name), attribute)
    )


def _schedule(members: tuple[Data, ...]) -> Schedule:
    frequency, interval, day, clock, first, last, count = (member.value for member in members)
    due_time, first_day, last_day = CosemTime(clock).time(), CosemDate(first).date(), CosemDate(last).date()
    if due_time is None:
        raise InvalidValueError("schedule.time is not a full time of day")
    if first_day is None:
        raise InvalidValueError("schedule.first is not a full date of the calendar")
    if last_day is None and last != CosemDate.NOT_SPECIFIED.octets:
        raise InvalidValueError("schedule.last is neither a full date of the calendar nor open (all FF)")
    return Schedule(
        frequency=_member(Frequency, frequency, "schedule.frequency"),
        interval=interval,
        day=day,
        time=due_time,
        first=first_day,
        last=last_day,
        count=count,
    )


def _member(enumeration: type[_Enumeration], value: int, name: str) -> _Enumeration:
    try:
        return enumeration(value)
    except ValueError:
        raise InvalidValueError(f"{name} has no value {value}") from None
