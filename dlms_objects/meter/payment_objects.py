"""Account, Credit and Charge (classes 111, 112, 113): the purse as other head-ends know payment meters. Views only.

A value that its standard type cannot hold exactly raises InvalidValueError, which is answered `other-reason`: a balance
beyond 32 bits, a price that 16 bits and a power of ten do not make, a period that is no number of seconds (nor is a day
where the clocks are about to change). Nothing is rounded. The account has one Credit, the purse's balance; Charge e is
fee item e. What maps to what: docs/objects.md.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dlms_objects.classes.catalogue import CREDIT_NAME, charge_name
from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.cosem_object import ReadOnlyObject, Requester, constant
from dlms_objects.purse.fee_item import AmountSource, FeeItem, Frequency, Parameters, RegisterReference, Schedule
from dlms_objects.purse.state import PurseState
from dlms_objects.values import data as cosem
from dlms_objects.values.civil import time_zone
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.data import WHOLE_NUMBER_RANGES, Data, DataType
from dlms_objects.values.logical_name import LogicalName

PREPAYMENT, ACTIVE = 2, 2
MONETARY = 2
TOKEN_CREDIT = 0
IN_USE, EXHAUSTED = 3, 4
CONSUMPTION_BASED, TIME_BASED = 0, 1
NO_NEXT_CREDIT = -(2**31)
FIRST_CREDIT, NO_CREDIT = 1, 0
DAY_S = 86_400
WEEKS_AHEAD = 54

_LARGEST_CHARGE = WHOLE_NUMBER_RANGES[DataType.LONG][1]
_NOT_SPECIFIED = cosem.octet_string(CosemDateTime.NOT_SPECIFIED.octets)
_NO_COMMODITY = RegisterReference(0, LogicalName(bytes(6)), 0)
_FLAG_BITS = 8

States = Callable[[], PurseState]


def account_object(states: States) -> ReadOnlyObject:
    """The account of the purse whose state `states` gives."""

    def amount(value: Callable[[PurseState], int]) -> Callable[[Requester], Data]:
        return lambda _requester: cosem.double_long(value(states()))

    return ReadOnlyObject(
        {
            2: constant(cosem.structure(cosem.enum(PREPAYMENT), cosem.enum(ACTIVE))),
            3: lambda _requester: cosem.unsigned(NO_CREDIT if _is_exhausted(states()) else FIRST_CREDIT),
            4: lambda _requester: _credit_flags(states()),
            5: amount(lambda state: max(0, state.balance)),
            6: amount(lambda state: max(0, -state.balance)),
            7: constant(cosem.double_long(0)),
            8: constant(cosem.double_long(0)),
            9: constant(cosem.array([cosem.octet_string(CREDIT_NAME.octets)])),
            10: lambda _requester: cosem.array(
                cosem.octet_string(charge_name(item.number).octets)
                for item in states().items
                if item.parameters is not None
            ),
            11: constant(cosem.array(())),
            12: constant(cosem.array(())),
            13: constant(_NOT_SPECIFIED),
            14: constant(_NOT_SPECIFIED),
            15: lambda _requester: cosem.structure(
                cosem.utf8_string(states().currency.code),
                cosem.integer(states().currency.scale),
                cosem.enum(MONETARY),
            ),
            16: amount(lambda state: state.settings.low_balance_threshold),
            17: constant(cosem.double_long(NO_NEXT_CREDIT)),
            18: constant(cosem.long_unsigned(0)),
            19: constant(cosem.double_long(0)),
        }
    )


def credit_object(states: States) -> ReadOnlyObject:
    """The one credit: the balance, down to the overdraft limit."""
    return ReadOnlyObject(
        {
            2: lambda _requester: cosem.double_long(states().balance),
            3: constant(cosem.enum(TOKEN_CREDIT)),
            4: constant(cosem.unsigned(1)),
            5: lambda _requester: cosem.double_long(states().settings.low_balance_threshold),
            6: lambda _requester: cosem.double_long(-states().settings.overdraft_limit),
            7: constant(_flags(4)),  # it receives tokens
            8: lambda _requester: cosem.enum(EXHAUSTED if _is_exhausted(states()) else IN_USE),
            9: constant(cosem.double_long(0)),
            10: constant(cosem.double_long(0)),
            11: constant(_NOT_SPECIFIED),
        }
    )


def charge_object(number: int, states: States) -> ReadOnlyObject:
    """The charge that is fee item `number`."""

    def item() -> FeeItem:
        return states().item(number)

    return ReadOnlyObject(
        {
            2: lambda _requester: cosem.double_long(item().total_deducted),
            3: lambda _requester: cosem.enum(CONSUMPTION_BASED if _is_metered(item().parameters) else TIME_BASED),
            4: lambda _requester: cosem.unsigned(_priority(item().parameters)),
            5: lambda _requester: _unit_charge(item().parameters, states()),
            6: lambda _requester: _unit_charge(item().passive, states()),
            7: lambda _requester: cosem.octet_string(_moment(item().activation_time, states()).octets),
            8: lambda requester: cosem.double_long_unsigned(_period_s(item().parameters, states(), requester.now)),
            9: constant(_flags(1)),  # continuous collection: total_amount_remaining is not used
            10: lambda _requester: cosem.date_time(_moment(item().last_deducted, states())),
            11: lambda _requester: cosem.double_long(item().last_amount),
            12: constant(cosem.double_long(0)),
            13: constant(cosem.long_unsigned(0)),
        }
    )


def _is_exhausted(state: PurseState) -> bool:
    return state.balance <= -state.settings.overdraft_limit


def _credit_flags(state: PurseState) -> Data:
    """b0 in_credit, b1 low_credit, b6 out_of_credit; there is no other credit that could be next."""
    told = {
        0: state.balance > 0,
        1: state.balance < state.settings.low_balance_threshold,
        6: _is_exhausted(state),
    }
    return _flags(*(bit for bit, is_set in told.items() if is_set))


def _flags(*numbers: int) -> Data:
    """A bit-string of eight in which these are set; flag 0 is the left-most."""
    return cosem.bit_string("".join("01"[bit in numbers] for bit in range(_FLAG_BITS)))


def _is_metered(parameters: Parameters | None) -> bool:
    return parameters is not None and parameters.amount_source is AmountSource.METERED


def _priority(parameters: Parameters | None) -> int:
    return 0 if parameters is None else parameters.priority


def _unit_charge(parameters: Parameters | None, state: PurseState) -> Data:
    """One price of a unit (metered), or of a period (fixed), in units of the currency; none where bills tell it."""
    scale = state.currency.scale
    commodity = _NO_COMMODITY
    price: int | None = None
    if parameters is not None and parameters.amount_source is AmountSource.METERED:
        commodity, price = parameters.unit_price.register, parameters.unit_price.price
        scale += parameters.unit_price.scaler
    elif parameters is not None and parameters.amount_source is AmountSource.FIXED:
        price = parameters.amount
    charges = []
    if price is not None:
        number, shifted = _shifted(price)
        scale += shifted
        charges = [cosem.structure(cosem.octet_string(b""), cosem.long(number))]
    return cosem.structure(
        cosem.structure(cosem.integer(0), cosem.integer(scale)),
        cosem.structure(
            cosem.long_unsigned(commodity.class_id),
            cosem.octet_string(commodity.logical_name.octets),
            cosem.integer(commodity.attribute),
        ),
        cosem.array(charges),
    )


def _shifted(price: int) -> tuple[int, int]:
    """The price as a number of 16 bits times a power of ten, exactly; InvalidValueError where there is none."""
    number, shifted = price, 0
    while abs(number) > _LARGEST_CHARGE:
        number, left = divmod(number, 10)
        shifted += 1
        if left:
            raise InvalidValueError(f"{price} is no 16-bit number times a power of ten")
    return number, shifted


def _period_s(parameters: Parameters | None, state: PurseState, now: datetime) -> int:
    """The seconds from one occurrence to the next; InvalidValueError where calendar or clocks make them differ."""
    if parameters is None:
        return 0
    schedule: Schedule = parameters.schedule
    days = {Frequency.DAILY: 1, Frequency.WEEKLY: 7}.get(schedule.frequency)
    if days is None:
        raise InvalidValueError(f"{schedule.frequency.name.lower()} is no fixed number of seconds")
    if _changes_its_clocks(time_zone(state.settings.time_zone), now):
        raise InvalidValueError(f"days in {state.settings.time_zone} differ in length")
    return days * schedule.interval * DAY_S


def _changes_its_clocks(zone: ZoneInfo, now: datetime) -> bool:
    """Whether the offset of the zone is another one in some week of the year to come."""
    return len({(now + timedelta(weeks=week)).astimezone(zone).utcoffset() for week in range(WEEKS_AHEAD)}) > 1


def _moment(instant: datetime | None, state: PurseState) -> CosemDateTime:
    if instant is None:
        return CosemDateTime.NOT_SPECIFIED
    return CosemDateTime.from_instant(instant, time_zone(state.settings.time_zone))
