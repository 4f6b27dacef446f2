"""The objects that make a meter a meter: names, energy register, associations, the clock."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dlms_objects.classes.catalogue import (
    AssociationDeclaration,
    object_list,
    security_setup_name,
)
from dlms_objects.meter.cosem_object import ActionRefusedError, Getter, ReadOnlyObject, Requester, constant
from dlms_objects.meter.moments import full_instant
from dlms_objects.purse.state import CLOCK_VALID_FROM
from dlms_objects.values import data as cosem
from dlms_objects.values.civil import civil_of
from dlms_objects.values.cosem_time import STATUS_INVALID, CosemDateTime
from dlms_objects.values.data import Data
from dlms_objects.values.results import ActionResult
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.conformance import CONFORMANCE_BITS

UNIT_WATT_HOUR = 30
CLOCK_BASE_INTERNAL_CRYSTAL = 1
DLMS_VERSION = 6
NON_ASSOCIATED, ASSOCIATED = 0, 2
LARGEST_SHIFT_S = 900

_CONTEXT_NAME = "608574050801"
_MECHANISM_NAME = "608574050802"


def device_name(title: SystemTitle) -> bytes:
    """The logical device name: the maker's three letters and the unit's number in 13 decimal digits, 16 octets."""
    return title.octets[:3] + b"%013d" % int.from_bytes(title.octets[3:], "big")


def data_object(getter: Callable[[Requester], Data]) -> ReadOnlyObject:
    """A Data object (class 1)."""
    return ReadOnlyObject({2: getter})


def energy_register(energy_wh: Callable[[datetime], int]) -> ReadOnlyObject:
    """The active energy import register, Wh, as double-long-unsigned."""
    return ReadOnlyObject(
        {
            2: lambda requester: cosem.double_long_unsigned(energy_wh(requester.now)),
            3: constant(cosem.structure(cosem.integer(0), cosem.enum(UNIT_WATT_HOUR))),
        }
    )


class AssociationObject(ReadOnlyObject):
    """An association object (class 15). Its secret, where it has one, is written and never read."""

    def __init__(
        self,
        declared: AssociationDeclaration | None,
        max_receive_pdu: int,
        server_sap: int,
        change_secret: Callable[[int, bytes, datetime], None],
    ) -> None:
        """`declared` None is the current one, whichever that is for who asks.

        `change_secret` takes a client SAP and its new secret (InvalidValueError for one that cannot be).
        """
        super().__init__(_association_getters(declared, max_receive_pdu, server_sap))
        self._declared = declared
        self._change_secret = change_secret

    def set(self, attribute: int, value: Data, requester: Requester) -> None:
        """Write the secret of this association; its other attributes are what they are."""
        client_sap = (self._declared or requester.association).client_sap
        self._change_secret(client_sap, value.value, requester.now)


def _association_getters(
    declared: AssociationDeclaration | None, max_receive_pdu: int, server_sap: int
) -> Mapping[int, Getter]:
    def of(requester: Requester) -> AssociationDeclaration:
        return declared or requester.association

    def is_current(requester: Requester) -> bool:
        return of(requester) == requester.association

    def context_info(requester: Requester) -> Data:
        current = is_current(requester)
        title = requester.client_title
        return cosem.structure(
            cosem.bit_string(f"{int(requester.conformance) if current else 0:0{CONFORMANCE_BITS}b}"),
            cosem.long_unsigned(max_receive_pdu),
            cosem.long_unsigned(requester.max_pdu if current else 0),
            cosem.unsigned(DLMS_VERSION),
            cosem.integer(0),
            cosem.octet_string(title.octets if current and title else b""),
        )

    return {
        2: lambda requester: object_list(of(requester).role),
        3: lambda requester: cosem.structure(cosem.integer(of(requester).client_sap), cosem.long_unsigned(server_sap)),
        4: lambda requester: _object_identifier(_CONTEXT_NAME, 3 if of(requester).is_ciphered else 1),
        5: context_info,
        6: lambda requester: _object_identifier(_MECHANISM_NAME, of(requester).mechanism.value),
        8: lambda requester: cosem.enum(ASSOCIATED if is_current(requester) else NON_ASSOCIATED),
        9: lambda requester: cosem.octet_string(security_setup_name(of(requester).number).octets),
        10: constant(cosem.array(())),
        11: constant(cosem.structure(cosem.unsigned(0), cosem.visible_string(""))),
    }


class ClockObject(ReadOnlyObject):
    """The clock (class 8): the meter's local time; writing the time or shifting it is passed to `set_clock`."""

    def __init__(self, zone: Callable[[], ZoneInfo], set_clock: Callable[[datetime], None]) -> None:
        """`zone` tells the zone of the purse's settings; `set_clock` takes the wanted instant (InvalidValueError)."""
        self._zone = zone
        self._set_clock = set_clock
        super().__init__(
            {
                2: lambda requester: cosem.octet_string(clock_reading(requester.now, zone()).octets),
                3: lambda requester: cosem.long(-_minutes(_standard_offset(requester.now, zone()))),
                4: lambda requester: cosem.unsigned(clock_reading(requester.now, zone()).status),
                5: lambda requester: cosem.octet_string(_transition(requester.now, zone(), begins=True).octets),
                6: lambda requester: cosem.octet_string(_transition(requester.now, zone(), begins=False).octets),
                7: lambda requester: cosem.integer(_minutes(_saving(requester.now, zone()))),
                8: lambda requester: cosem.boolean(bool(_saving(requester.now, zone()))),
                9: constant(cosem.enum(CLOCK_BASE_INTERNAL_CRYSTAL)),
            }
        )

    def set(self, attribute: int, value: Data, requester: Requester) -> None:
        """Set the time (attribute 2): a full date-time; one without deviation is taken as the meter's civil time."""
        self._set_clock(full_instant(value.value, self._zone()))

    def invoke(self, method: int, parameter: Data, requester: Requester) -> Data | None:
        """shift_time: move the clock by -900..900 seconds."""
        if abs(parameter.value) > LARGEST_SHIFT_S:
            raise ActionRefusedError(ActionResult.OTHER_REASON)
        self._set_clock(requester.now + timedelta(seconds=parameter.value))
        return None


def clock_reading(now: datetime, zone: ZoneInfo) -> CosemDateTime:
    """What the clock shows: local time with deviation, daylight-saving flag, and the invalid flag before 2024."""
    return CosemDateTime.from_instant(now, zone, status=0 if now >= CLOCK_VALID_FROM else STATUS_INVALID)


def _object_identifier(prefix: str, last: int) -> Data:
    return cosem.octet_string(bytes.fromhex(prefix) + bytes((last,)))


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds()) // 60


def _standard_offset(now: datetime, zone: ZoneInfo) -> timedelta:
    local = now.astimezone(zone)
    return (local.utcoffset() or timedelta(0)) - (local.dst() or timedelta(0))


def _saving(now: datetime, zone: ZoneInfo) -> timedelta:
    """How far daylight saving moves the clock in this year; zero where there is none."""
    noons = (datetime(now.year, month, 1, 12, tzinfo=zone) for month in range(1, 13))
    return max((noon.dst() or timedelta(0) for noon in noons), default=timedelta(0))


def _transition(now: datetime, zone: ZoneInfo, *, begins: bool) -> CosemDateTime:
    """The civil time at which daylight saving begins (or ends) in this year, before the step; or nothing."""
    day, quarter = timedelta(days=1), timedelta(minutes=15)
    start = datetime(now.year, 1, 1, tzinfo=UTC)
    while start.year == now.year:
        if _is_saving(start, zone) is not begins and _is_saving(start + day, zone) is begins:
            after = next(
                moment
                for moment in (start + number * quarter for number in range(97))
                if _is_saving(moment, zone) is begins
            )
            return CosemDateTime.from_civil(civil_of(after - quarter, zone) + quarter)
        start += day
    return CosemDateTime.NOT_SPECIFIED


def _is_saving(instant: datetime, zone: ZoneInfo) -> bool:
    return bool(instant.astimezone(zone).dst())
