"""The alarm bits: every flag and every alarming event has one, and SQL counts as Python does."""

import sqlite3

from dlms_objects.meter.alarms import ALARM_OF_EVENT, Alarm, alarm_case, standing
from dlms_objects.purse.outcome import EventCode
from dlms_objects.purse.prompt import StatusFlag


def test_the_first_seven_bits_are_the_purses_flags():
    for flag in StatusFlag:
        assert standing(flag, has_supply=True) == Alarm(int(flag))
        assert Alarm(int(flag)).name == flag.name
    assert standing(StatusFlag(0), has_supply=False) == Alarm.SUPPLY_OFF


def test_sql_gives_each_event_its_bit():
    connection = sqlite3.connect(":memory:")
    for code in EventCode:
        ((bit,),) = connection.execute(f"SELECT {alarm_case('code')} FROM (SELECT {code:d} AS code)").fetchall()
        assert bit == ALARM_OF_EVENT.get(code, 0)
    assert set(ALARM_OF_EVENT.values()) == set(Alarm)
