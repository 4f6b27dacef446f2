"""How meters stand becomes points: arrears by age to the day, clocks, energy; nothing of it is booked."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from dlms_objects.purse.prompt import ItemState
from dlms_objects.values.cosem_time import CosemDateTime
from headend import points
from headend.authentication import FIRST_ORGANISATION
from headend.fleet import unknown_meters
from headend.ingest import ingest
from headend.readings import ItemReading, MeterReading, take
from tests.support.headend_books import SHANGHAI, TITLE, UNKNOWN_TITLE, usual_journal

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MOMENT = datetime(2026, 2, 1, 12, tzinfo=SHANGHAI)
MOMENT_NS = int(MOMENT.timestamp()) * 10**9
CLASSES = ("days_0_7_minor", "days_8_30_minor", "days_31_90_minor", "days_91_minor")


@pytest.fixture
def connection(connection: Connection) -> Connection:
    points.set_wanted(connection, True)
    return connection


def unpaid(age: timedelta, *, missed: int = 1, amount: int = 350_000) -> ItemReading:
    due = CosemDateTime.from_civil((MOMENT - age).replace(tzinfo=None))
    return ItemReading(number=1, state=ItemState.WAITING_BALANCE, due=due, amount_minor=amount, missed=missed)


def reading(*items: ItemReading, time: CosemDateTime | None = None, energy_wh: int | None = None) -> MeterReading:
    return MeterReading(
        title=TITLE,
        time=time or CosemDateTime.from_instant(MOMENT, SHANGHAI),
        read_at_s=int(MOMENT.timestamp()) - 7,
        energy_wh=energy_wh,
        flags=4,
        shortfall_minor=120_000,
        items=items,
    )


def lines(connection: Connection, told: MeterReading) -> list[str]:
    take(connection, [told], now=NOW)
    return list(points.next_bundles(connection, maximum_points=99)[-1].lines)


def test_a_reading_is_a_point_each_for_purse_energy_and_fee_item(connection: Connection) -> None:
    ingest(connection, [usual_journal().batch()])
    assert lines(connection, reading(unpaid(timedelta(days=10), missed=2), energy_wh=1234)) == [
        f"purse_status,meter={TITLE},currency=CNY flags=4i,shortfall_minor=120000i,clock_offset_s=7i {MOMENT_NS}",
        f"reading,meter={TITLE},register=1.0.1.8.0.255 value=1234i {MOMENT_NS}",
        f"fee_status,meter={TITLE},currency=CNY,item=房租,payee=landlord,state=waiting_balance "
        "unpaid_minor=350000i,missed=2i,age_s=864000i,days_0_7_minor=0i,days_8_30_minor=350000i,"
        f"days_31_90_minor=0i,days_91_minor=0i {MOMENT_NS}",
    ]


@pytest.mark.parametrize(
    ("age", "field"),
    [
        (timedelta(0), "days_0_7_minor"),
        (timedelta(days=8, seconds=-1), "days_0_7_minor"),
        (timedelta(days=8), "days_8_30_minor"),
        (timedelta(days=31, seconds=-1), "days_8_30_minor"),
        (timedelta(days=31), "days_31_90_minor"),
        (timedelta(days=91, seconds=-1), "days_31_90_minor"),
        (timedelta(days=91), "days_91_minor"),
        (timedelta(days=3000), "days_91_minor"),
    ],
)
def test_what_is_unpaid_stands_in_exactly_one_class(connection: Connection, age: timedelta, field: str) -> None:
    _, told = lines(connection, reading(unpaid(age)))
    assert {name: f"{name}={350_000 if name == field else 0}i" in told for name in CLASSES} == dict.fromkeys(
        CLASSES, True
    )
    assert "unpaid_minor=350000i" in told


@pytest.mark.parametrize(
    "item", [unpaid(-timedelta(days=1)), unpaid(timedelta(days=9), missed=0), unpaid(timedelta(days=9), amount=0)]
)
def test_what_is_not_due_or_has_no_amount_is_no_arrears(connection: Connection, item: ItemReading) -> None:
    _, told = lines(connection, reading(item))
    assert "unpaid_minor=0i" in told
    assert all(f"{name}=0i" in told for name in CLASSES)


def test_a_clock_that_was_lost_has_no_offset_and_the_head_ends_time(connection: Connection) -> None:
    (told,) = lines(connection, reading(time=CosemDateTime.NOT_SPECIFIED))
    assert told == f"purse_status,meter={TITLE},currency=- flags=4i,shortfall_minor=120000i 1772323200000000000"


def test_a_meter_nobody_registered_is_counted_and_no_point(connection: Connection) -> None:
    stranger = MeterReading(
        title=UNKNOWN_TITLE,
        time=CosemDateTime.NOT_SPECIFIED,
        read_at_s=0,
        energy_wh=None,
        flags=0,
        shortfall_minor=0,
        items=(),
    )
    take(connection, [stranger], now=NOW)
    assert points.next_bundles(connection, maximum_points=9) == []
    assert [
        (each.system_title, each.batches, each.rows) for each in unknown_meters(connection, FIRST_ORGANISATION)
    ] == [(str(UNKNOWN_TITLE), 1, 0)]
