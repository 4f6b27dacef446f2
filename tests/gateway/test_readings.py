"""gateway/readings.py: what is read, how often, and that only figures that a newer one replaced are let go."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from dlms_objects.errors import TransportLostError
from dlms_objects.purse.outcome import EventCode
from dlms_objects.purse.prompt import ItemState, StatusFlag
from dlms_objects.values import data as cosem
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.logical_name import AttributeDescriptor
from dlms_objects.wire import axdr
from gateway.headend_client import BatchRefusedError, HeadendUnavailableError
from gateway.readings import ReadingDesk
from tests.support.fake_headend import FakeHeadend
from tests.support.fake_session import START, ZONE, FakeItem, FakeMeter, FakeSession
from tests.support.gateway_world import World
from tests.support.twisted_testing import result_of

EVERY_S = 900
UPLOAD_S = 5
DUE = CosemDateTime.from_civil(datetime(2025, 12, 20, 8))  # noqa: DTZ001 - civil


@dataclass
class Desk:
    """A desk over a gateway that knows one meter's fee items; `now_s` is its clock."""

    world: World
    meter: FakeMeter
    now_s: int = 1000

    def __post_init__(self) -> None:
        self.desk = ReadingDesk(
            self.world.headend,
            self.world.writer,
            read_every_s=EVERY_S,
            upload_every_s=UPLOAD_S,
            now_s=lambda: self.now_s,
        )

    def read(self, session: FakeSession | None = None) -> FakeSession:
        session = session or FakeSession(self.meter)
        result_of(self.desk.read(session, self.meter.title))
        return session

    def upload(self) -> float:
        return result_of(self.desk.step())

    @property
    def sent(self) -> list[Any]:
        return [document for _, path, document in self.world.headend.requests if path == "/api/gateway/v1/readings"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    meter = FakeMeter(
        items={
            1: FakeItem("Rent", "landlord", state=ItemState.WAITING_BALANCE, due=DUE, amount=350_000, missed=2),
            2: FakeItem("Water", "waterworks", kind="water"),
        },
        flags=StatusFlag.WAITING_BALANCE.bits(),
        shortfall_minor=120_000,
    )
    meter.happen(EventCode.INSUFFICIENT, fee_item=1, value=120_000)
    meter.happen(EventCode.PARAMETERS_CHANGED, fee_item=2, value=1)
    world = World(tmp_path / "outbox.sqlite3", [meter], FakeHeadend(meter.title))
    world.collect()
    yield Desk(world, meter)
    world.store.close()


def test_clock_energy_purse_and_every_fee_item_are_told(desk: Desk) -> None:
    desk.read()
    assert desk.upload() == UPLOAD_S
    assert desk.sent == [
        {
            "readings": [
                {
                    "system_title": str(desk.meter.title),
                    "time": CosemDateTime.from_instant(START, ZONE).octets.hex(),
                    "read_at_s": 1000,
                    "energy_wh": 1234,
                    "flags": 4,
                    "shortfall_minor": 120_000,
                    "items": [
                        {"number": 1, "state": 3, "due": DUE.octets.hex(), "amount_minor": 350_000, "missed": 2},
                        {"number": 2, "state": 1, "due": None, "amount_minor": 0, "missed": 0},
                    ],
                }
            ]
        }
    ]


def test_nothing_is_read_more_often_than_asked(desk: Desk) -> None:
    assert desk.read().asked
    desk.now_s += EVERY_S - 1
    assert not desk.read().asked
    desk.now_s += 1
    assert desk.read().asked


def test_while_the_head_end_is_away_the_newest_reading_waits(desk: Desk) -> None:
    def away(_what: str) -> None:
        raise HeadendUnavailableError("away")

    desk.world.headend.step = away
    desk.read()
    assert desk.upload() == UPLOAD_S
    desk.meter.energy_wh, desk.now_s = 5678, desk.now_s + EVERY_S
    desk.read()
    desk.world.headend.step = lambda _what: None
    assert desk.upload() == UPLOAD_S
    assert desk.sent[-1]["readings"][0]["energy_wh"] == 5678
    count = len(desk.sent)
    desk.upload()
    assert len(desk.sent) == count


def test_a_reading_that_comes_while_one_travels_is_not_let_go(desk: Desk) -> None:
    desk.read()

    def meanwhile(what: str) -> None:
        if what.startswith("after"):
            desk.meter.energy_wh, desk.now_s = 5678, desk.now_s + EVERY_S
            desk.read()
            desk.world.headend.step = lambda _what: None

    desk.world.headend.step = meanwhile
    assert desk.upload() == 0
    desk.upload()
    assert [each["readings"][0]["energy_wh"] for each in desk.sent] == [1234, 5678]


def test_what_the_head_end_refuses_for_good_is_let_go(desk: Desk) -> None:
    def refuse(_what: str) -> None:
        raise BatchRefusedError("422")

    desk.world.headend.step = refuse
    desk.read()
    desk.upload()
    desk.world.headend.step = lambda _what: None
    desk.upload()
    assert len(desk.sent) == 1


def test_what_a_meter_does_not_show_is_left_out(desk: Desk) -> None:
    desk.meter.energy_wh = None
    del desk.meter.items[1]
    desk.read()
    desk.upload()
    (reading,) = desk.sent[0]["readings"]
    assert (reading["energy_wh"], [item["number"] for item in reading["items"]]) == (None, [2])


@pytest.mark.parametrize(
    ("of_class", "nonsense"),
    [
        (8, cosem.octet_string(b"\xff" * 11)),
        (8, cosem.octet_string(b"\x07\xea\x0d" + b"\xff" * 9)),
        (8, cosem.NULL),
        (3, cosem.visible_string("7")),
        (20101, cosem.NULL),
        (20102, cosem.NULL),
    ],
)
def test_a_meter_that_answers_nonsense_has_no_reading_and_no_failed_session(
    desk: Desk, of_class: int, nonsense: cosem.Data
) -> None:
    class Broken(FakeSession):
        async def get(self, attribute: AttributeDescriptor, *more: Any) -> bytes:
            return axdr.encode(nonsense) if attribute.class_id == of_class else await super().get(attribute, *more)

    desk.read(Broken(desk.meter))
    desk.upload()
    assert desk.sent == []


def test_a_line_that_is_lost_is_the_sessions_failure(desk: Desk) -> None:
    def lost(_what: str) -> None:
        raise TransportLostError("gone")

    with pytest.raises(TransportLostError):
        desk.read(FakeSession(desk.meter, lost))
    assert desk.read().asked  # it is read in the next session
