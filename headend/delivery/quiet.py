"""When somebody may be told: quiet hours and the daily digest, in civil time of their own zone. Pure.

A quiet time begins and ends at instants: a civil time that daylight saving skips is the first instant after the gap, a
repeated one its first pass. Imported by `plan` and `log`.
"""

from datetime import datetime, time, timedelta

from dlms_objects.values.civil import civil_of, instant_of, time_zone
from headend.delivery.config import RecipientConfig

_DAY = timedelta(days=1)


def first_allowed(recipient: RecipientConfig, wanted: datetime) -> datetime:
    """`wanted`, or the end of the recipient's quiet time when it falls into one (aware instants)."""
    begins, ends = recipient.quiet_from, recipient.quiet_until
    if begins is None or ends is None:
        return wanted
    zone = time_zone(recipient.time_zone)
    today = civil_of(wanted, zone).date()
    for day in (today - _DAY, today):
        last = day if ends > begins else day + _DAY
        start = instant_of(datetime.combine(day, begins), zone)
        end = instant_of(datetime.combine(last, ends), zone)
        if start <= wanted < end:
            return end
    return wanted


def next_digest(recipient: RecipientConfig, at: time, now: datetime) -> datetime:
    """The first instant from `now` on at which the recipient's clock shows `at`."""
    zone = time_zone(recipient.time_zone)
    today = civil_of(now, zone).date()
    days = (today + step * _DAY for step in range(3))
    instants = (instant_of(datetime.combine(day, at), zone) for day in days)
    return next(instant for instant in instants if instant >= now)
