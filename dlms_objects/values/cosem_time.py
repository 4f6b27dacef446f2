"""COSEM date-time (12 octets), date (5) and time (4), kept as the octets that travel.

Conventions (as in gurux-dlms 1.0.203): FF (FFFF for a year) is "not specified"; deviation is minutes from local time to
UTC, so UTC+8 is -480, and 8000 is "not specified"; clock status bit 0 invalid, bit 1 doubtful, bit 7 daylight saving,
FF "not specified". A civil time (a due time) carries neither deviation nor status: 8000 and FF.
"""

import struct
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from dlms_objects.errors import InvalidValueError

STATUS_INVALID = 0x01
STATUS_DAYLIGHT_SAVING = 0x80
STATUS_NOT_SPECIFIED = 0xFF
DEVIATION_NOT_SPECIFIED = -0x8000

_DATE_TIME = struct.Struct(">HBBBBBBBhB")
_DATE = struct.Struct(">HBBB")
_TIME = struct.Struct(">BBBB")


@dataclass(frozen=True, slots=True, repr=False)
class CosemDateTime:
    """A COSEM date-time: the 12 octets year, month, day, weekday, hour, minute, second, 1/100 s, deviation, status."""

    octets: bytes
    NOT_SPECIFIED: ClassVar["CosemDateTime"]

    def __post_init__(self) -> None:
        """Refuse a wrong length or a field out of its range (InvalidValueError); wildcards are allowed."""
        if type(self.octets) is not bytes or len(self.octets) != 12:
            raise InvalidValueError(f"a COSEM date-time is 12 octets, not {self.octets!r}")
        _check_date(self.octets[:5])
        _check_time(self.octets[5:9])
        deviation = self.deviation_minutes
        if deviation is not None and not -840 <= deviation <= 840:
            raise InvalidValueError(f"a deviation is -840..840 minutes, not {deviation}")

    @classmethod
    def from_instant(cls, instant: datetime, zone: ZoneInfo, *, status: int = 0) -> Self:
        """The local time of an aware instant in `zone`, to the second, with deviation and daylight-saving flag."""
        local = instant.astimezone(zone)
        offset = local.utcoffset() or timedelta(0)
        if local.dst():
            status |= STATUS_DAYLIGHT_SAVING
        return cls(_pack(local, -int(offset.total_seconds()) // 60, status))

    @classmethod
    def from_civil(cls, civil: datetime) -> Self:
        """A naive civil date-time: deviation and status "not specified"."""
        return cls(_pack(civil, DEVIATION_NOT_SPECIFIED, STATUS_NOT_SPECIFIED))

    @property
    def deviation_minutes(self) -> int | None:
        """Minutes from local time to UTC (-480 in UTC+8), or None when not specified."""
        deviation: int = _DATE_TIME.unpack(self.octets)[8]
        return None if deviation == DEVIATION_NOT_SPECIFIED else deviation

    @property
    def status(self) -> int:
        """The clock status octet; FF when not specified."""
        return self.octets[11]

    @property
    def is_specified(self) -> bool:
        """True when year, month, day, hour, minute and second are all plain numbers."""
        octets = self.octets
        return (
            octets[:2] != b"\xff\xff"
            and 1 <= octets[2] <= 12
            and 1 <= octets[3] <= 31
            and 0xFF not in (octets[5], octets[6], octets[7])
        )

    def civil(self) -> datetime | None:
        """The naive local date-time, or None when a needed field is not specified or is no such day."""
        if not self.is_specified:
            return None
        year, month, day, _weekday, hour, minute, second, hundredths, _deviation, _status = _DATE_TIME.unpack(
            self.octets
        )
        try:
            return datetime(  # noqa: DTZ001 - civil time has no zone
                year, month, day, hour, minute, second, 0 if hundredths == 0xFF else hundredths * 10_000
            )
        except ValueError:
            return None

    def instant(self) -> datetime | None:
        """The UTC instant; None when civil time or deviation is not specified, or it is outside the years 1..9999."""
        civil, deviation = self.civil(), self.deviation_minutes
        if civil is None or deviation is None:
            return None
        try:
            return (civil + timedelta(minutes=deviation)).replace(tzinfo=UTC)
        except OverflowError:
            return None

    def __str__(self) -> str:
        """ISO 8601 with the offset where there is one; `not specified` otherwise."""
        civil, deviation = self.civil(), self.deviation_minutes
        if civil is None:
            return "not specified"
        if deviation is None:
            return civil.isoformat(sep=" ")
        sign, minutes = ("-", deviation) if deviation > 0 else ("+", -deviation)
        return f"{civil.isoformat(sep=' ')}{sign}{minutes // 60:02d}:{minutes % 60:02d}"

    def __repr__(self) -> str:
        """The octets, which are the value."""
        return f"CosemDateTime({self.octets.hex()})"


@dataclass(frozen=True, slots=True)
class CosemDate:
    """A COSEM date: the 5 octets year, month, day of month, weekday."""

    octets: bytes
    NOT_SPECIFIED: ClassVar["CosemDate"]

    def __post_init__(self) -> None:
        """Refuse a wrong length or a field out of its range (InvalidValueError); wildcards are allowed."""
        if type(self.octets) is not bytes or len(self.octets) != 5:
            raise InvalidValueError(f"a COSEM date is 5 octets, not {self.octets!r}")
        _check_date(self.octets)

    @classmethod
    def from_date(cls, day: date) -> Self:
        """A fully specified date with its weekday."""
        return cls(_DATE.pack(day.year, day.month, day.day, day.isoweekday()))

    def date(self) -> date | None:
        """The calendar date, or None when a field is not specified or there is no such day."""
        year, month, day, _weekday = _DATE.unpack(self.octets)
        try:
            return date(year, month, day)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class CosemTime:
    """A COSEM time: the 4 octets hour, minute, second, 1/100 s."""

    octets: bytes

    def __post_init__(self) -> None:
        """Refuse a wrong length or a field out of its range (InvalidValueError); wildcards are allowed."""
        if type(self.octets) is not bytes or len(self.octets) != 4:
            raise InvalidValueError(f"a COSEM time is 4 octets, not {self.octets!r}")
        _check_time(self.octets)

    @classmethod
    def from_time(cls, clock: time) -> Self:
        """A fully specified time of day; what is finer than 1/100 s is refused."""
        if clock.microsecond % 10_000:
            raise InvalidValueError(f"a COSEM time holds hundredths of a second, not {clock.isoformat()}")
        return cls(_TIME.pack(clock.hour, clock.minute, clock.second, clock.microsecond // 10_000))

    def time(self) -> time | None:
        """The time of day, or None when hour, minute or second is not specified."""
        hour, minute, second, hundredths = _TIME.unpack(self.octets)
        if 0xFF in (hour, minute, second):
            return None
        return time(hour, minute, second, 0 if hundredths == 0xFF else hundredths * 10_000)


def _pack(local: datetime, deviation: int, status: int) -> bytes:
    return _DATE_TIME.pack(
        local.year,
        local.month,
        local.day,
        local.isoweekday(),
        local.hour,
        local.minute,
        local.second,
        0,
        deviation,
        status,
    )


def _check_date(octets: bytes) -> None:
    _year, month, day, weekday = _DATE.unpack(octets)
    if not (1 <= month <= 12 or month in (0xFD, 0xFE, 0xFF)):
        raise InvalidValueError(f"a month is 1..12, FD, FE or FF, not {month:02X}")
    if not (1 <= day <= 31 or day >= 0xE0):
        raise InvalidValueError(f"a day of month is 1..31 or E0..FF, not {day:02X}")
    if not (1 <= weekday <= 7 or weekday == 0xFF):
        raise InvalidValueError(f"a day of week is 1..7 or FF, not {weekday:02X}")


def _check_time(octets: bytes) -> None:
    for name, value, limit in zip(
        ("an hour", "a minute", "a second", "hundredths"), octets, (23, 59, 59, 99), strict=True
    ):
        if value > limit and value != 0xFF:
            raise InvalidValueError(f"{name} is 0..{limit} or FF, not {value:02X}")


CosemDateTime.NOT_SPECIFIED = CosemDateTime(bytes.fromhex("ffffffffffffffffff8000ff"))
CosemDate.NOT_SPECIFIED = CosemDate(bytes.fromhex("ffffffffff"))
