"""The meter's clock: real time, or a virtual clock that starts anywhere and runs at any rate, for time travel.

It turns seconds of a real clock into instants; who asks passes the real seconds in.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from dlms_objects.errors import InvalidValueError

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2099, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterClock:
    """A linear clock: at real second `epoch_s` (since 1970) it shows `start`, and it runs `rate` times as fast.

    It shows EARLIEST..LATEST, and stands still at either end. `start` is aware and within (InvalidValueError).
    """

    epoch_s: float
    start: datetime
    rate: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a start that the clock cannot show (InvalidValueError)."""
        if self.start.tzinfo is None or not EARLIEST <= self.start <= LATEST:
            raise InvalidValueError(f"a meter's clock shows {EARLIEST:%Y-%m-%d} to {LATEST:%Y-%m-%d}, UTC")

    @classmethod
    def real(cls) -> "MeterClock":
        """A clock that shows real time."""
        return cls(epoch_s=0.0, start=EARLIEST)

    def now(self, real_s: float) -> datetime:
        """The instant shown at that real second, UTC."""
        passed_s = (real_s - self.epoch_s) * self.rate
        if passed_s >= (LATEST - self.start).total_seconds():
            return LATEST
        if passed_s <= (EARLIEST - self.start).total_seconds():
            return EARLIEST
        return self.start + timedelta(seconds=passed_s)

    def real_s(self, shown: datetime) -> float:
        """The real second at which it shows that instant, were it not to stand still at either end."""
        return self.epoch_s + (shown - self.start).total_seconds() / self.rate

    def set_to(self, wanted: datetime, real_s: float) -> "MeterClock":
        """The clock that shows `wanted` at that real second and goes on at the same rate (InvalidValueError)."""
        return replace(self, epoch_s=real_s, start=wanted.astimezone(UTC))

    def at_rate(self, rate: float, real_s: float) -> "MeterClock":
        """The clock that shows the same at that real second and goes on at another rate."""
        return MeterClock(epoch_s=real_s, start=self.now(real_s), rate=rate)
