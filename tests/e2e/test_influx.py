"""Points against a real InfluxDB behind nginx: complete after every kill, never twice, made again from the ledger."""

import itertools
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from deploy.demo.influxdb import BUCKET, InfluxWorld
from dlms_objects.purse.entry import EntryKind
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.system_title import SystemTitle
from headend.influx.query import query
from headend.influx.writer import InfluxUnavailableError, InfluxWriter
from tests.support.command_line import call
from tests.support.headend_books import MeterJournal, usual_journal
from tests.support.influx_feed import SERIES, FedHeadend, bucket_totals, fed_headend, made_journal, usual_events
from tests.support.servers import influx_world
from tests.support.sources import ROOT

pytestmark = pytest.mark.e2e

METERS = 20
ENTRIES = 5_000
ROWS = 500
KILLS = 9
KILL_EVERY_S = 0.8
DOWN_S = 0.4
EVERY_POINT = ('SELECT * FROM "purse_entry" GROUP BY *', 'SELECT * FROM "meter_event" GROUP BY *')


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxWorld]:
    with influx_world(tmp_path_factory.mktemp("influx")) as up:
        yield up


def titles(count: int) -> list[SystemTitle]:
    return [SystemTitle(b"MPR\x00\x00\x00\x01" + bytes([number])) for number in range(count)]


@pytest.mark.slow
def test_hundred_thousand_points_survive_kills_of_every_process(world: InfluxWorld, tmp_path: Path) -> None:
    world.create_bucket(BUCKET)
    journals = [made_journal(title, ENTRIES) for title in titles(METERS)]
    with fed_headend(tmp_path / "headend", titles(METERS), world) as fed:
        kills: list[str] = []
        killer = threading.Thread(target=kill_in_turn, args=(world, fed, kills))
        killer.start()
        try:
            with ThreadPoolExecutor(2) as gateways:
                list(gateways.map(lambda journal: upload(fed, journal), journals))
        finally:
            killer.join()
        fed.drained()
        assert len(kills) == KILLS
        assert fed.refused() == []
        ledger = fed.totals()
        assert sum(count for count, _ in ledger.values()) == METERS * ENTRIES
        assert bucket_totals(world.target) == ledger
        assert call("headend", "influx", "check", fed.folder).out == "20 meters, 100000 entries: no differences\n"


def upload(fed: FedHeadend, journal: MeterJournal) -> None:
    for first in range(1, ENTRIES, ROWS):
        fed.upload(journal, first, first + ROWS - 1)


def kill_in_turn(world: InfluxWorld, fed: FedHeadend, kills: list[str]) -> None:
    """Kill the three, one after the other, while rows are uploaded."""
    victims = {"influxd": world.influxd, "nginx": world.nginx, "head-end": fed.daemon}
    for name, victim in itertools.cycle(victims.items()):
        if len(kills) == KILLS:
            return
        time.sleep(KILL_EVERY_S)
        victim.kill()
        kills.append(name)
        time.sleep(DOWN_S)
        victim.start()


def test_a_rebuild_of_an_empty_bucket_gives_the_identical_set(world: InfluxWorld, tmp_path: Path) -> None:
    world.create_bucket(BUCKET)
    first, second = titles(2)
    with fed_headend(tmp_path / "headend", [first, second], world) as fed:
        for journal in (usual_journal(first), made_journal(second, 1200)):
            fed.upload(journal, 1, len(journal.entries))
        fed.upload_events(first, usual_events())
        fed.drained()
        before = [query(world.target, statement) for statement in EVERY_POINT]
        assert [sum(len(series.rows) for series in each) for each in before] == [1206, len(usual_events())]
        world.create_bucket(BUCKET)
        differing = call("headend", "influx", "check", fed.folder)
        assert (differing.code, differing.out.count("InfluxDB 0 entries, sum 0")) == (2, 2)
        for _ in range(2):  # the second time nothing changes
            rebuilt = call("headend", "influx", "rebuild", fed.folder)
            assert (rebuilt.code, rebuilt.out) == (0, f"{1206 + len(usual_events())} points written, 0 refused\n")
            assert [query(world.target, statement) for statement in EVERY_POINT] == before
        assert call("headend", "influx", "check", fed.folder).code == 0
        twice = f"purse_entry,meter={first},currency=CNY,kind=top_up,item=-,payee=- amount_minor=1i 1"
        InfluxWriter(world.target).write([twice])
        assert bucket_totals(world.target) != fed.totals()
        found = call("headend", "influx", "check", fed.folder)
        assert (found.code, found.out.count("InfluxDB 7 entries")) == (2, 1)


def test_a_refused_point_is_put_aside_with_its_reason_and_the_rest_goes_on(world: InfluxWorld, tmp_path: Path) -> None:
    world.create_bucket(BUCKET)
    (title,) = titles(1)
    journal = made_journal(title, 300)
    forged = CosemDateTime.from_civil(datetime(1600, 1, 1)).octets[:9] + bytes.fromhex("fe20 00")
    journal.append(EntryKind.TOP_UP, 5, time=CosemDateTime(forged))
    journal.top_up(7)
    with fed_headend(tmp_path / "headend", [title], world) as fed:
        fed.upload(journal, 1, len(journal.entries))
        fed.drained()
        ((line, reason),) = fed.refused()
        assert "amount_minor=5i" in line
        assert reason.startswith("400 unable to parse")
        assert "range" in reason
        (counted,) = query(world.target, 'SELECT count("amount_minor"), sum("amount_minor") FROM "purse_entry"')
        assert counted.rows[0]["count"] == 301
        assert counted.rows[0]["sum"] == journal.balance - 5
        told = call("headend", "influx", "status", fed.folder)
        assert told.code == 0
        assert reason in told.out
        assert line in told.out
        assert call("headend", "influx", "rebuild", fed.folder).out.endswith("301 points written, 1 refused\n")


def test_without_influx_nothing_is_kept(tmp_path: Path) -> None:
    (title,) = titles(1)
    with fed_headend(tmp_path / "headend", [title], None) as fed:
        fed.upload(usual_journal(title), 1, 6)
        assert fed.waiting() == 0
        told = call("headend", "influx", "check", fed.folder)
        assert (told.code, told.err) == (2, "the configuration has no [influx]\n")


def test_a_server_that_cannot_take_points_is_no_fault_of_the_points(world: InfluxWorld) -> None:
    line = "purse_entry,meter=x amount_minor=1i 1700000000000000000"
    for target, said in (
        (replace(world.target, token="another"), "401"),
        (replace(world.target, bucket="none"), "404 database not found"),
        (replace(world.target, bucket=""), "400 database is required"),
        (replace(world.target, url="http://127.0.0.1:9"), "refused"),
    ):
        with pytest.raises(InfluxUnavailableError, match=said):
            InfluxWriter(target).write([line])


def test_the_roll_ups_of_influxdb_1_keep_every_sum(world: InfluxWorld, tmp_path: Path) -> None:
    world.create_bucket(BUCKET)
    (title,) = titles(1)
    journal = made_journal(title, 500)
    with fed_headend(tmp_path / "headend", [title], world) as fed:
        fed.upload(journal, 1, 500)
        fed.drained()
        totals = fed.totals()
    text = (ROOT / "deploy" / "influxdb" / "influxdb1.iql").read_text()
    statements = [line for line in text.splitlines() if not line.startswith("--")]
    for statement in statements:
        world.command(statement)
    names = [row["name"] for series in query(world.target, "SHOW CONTINUOUS QUERIES") for row in series.rows]
    assert names == ["purse_entry_daily", "gateway_status_daily", "notice_delivery_daily"]
    for body in re.findall(r"BEGIN (SELECT .*) END", text):  # what the server does each hour, done at once for all time
        world.command(body.replace(" GROUP BY", " WHERE time < now() + 10000d GROUP BY"))
    summed = query(
        world.target,
        'SELECT sum("entries"), sum("amount_minor") FROM "meterpurse"."daily"."purse_entry" '
        'GROUP BY "meter", "currency", "kind", "item", "payee"',
    )
    assert {tuple(series.tags.values()): (series.rows[0]["sum"], series.rows[0]["sum_1"]) for series in summed} == {
        tuple(value for _, value in sorted(zip(SERIES, key, strict=True))): total for key, total in totals.items()
    }
