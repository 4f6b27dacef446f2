"""Every query of every dashboard and alert rule, asked of a real InfluxDB that holds the demo's year: none is empty.

The demo's household lives a plain year, so a second meter adds what that year has none of: a conflict, refused
associations, a clock that was set; and notices that were and were not delivered. How the dashboards look in Grafana is
not seen here: no Grafana server can be had.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from deploy.configuration import load
from deploy.demo.influxdb import PROGRAMS
from dlms_objects.purse.outcome import EventCode
from dlms_objects.values.cosem_time import CosemDateTime
from headend import measurements, points
from headend.config import HeadendConfig
from headend.database import transaction
from headend.events import MeterEvent
from headend.influx.query import QueryRefusedError, query
from headend.influx.target import Target
from tests.support import grafana
from tests.support.command_line import call
from tests.support.headend_books import OTHER_TITLE, SHANGHAI, MeterJournal, usual_journal
from tests.support.headend_uploads import event_json, records_json
from tests.support.servers import require
from tests.support.sources import ROOT

pytestmark = pytest.mark.e2e

DASHBOARDS = [
    grafana.DASHBOARD.validate_json(path.read_text())
    for path in sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
]
RULES = grafana.RULES.validate_json(
    (ROOT / "deploy" / "grafana" / "provisioning" / "alerting" / "meterpurse.json").read_text()
)
WHOLE_YEAR = {"since": "2025-12-01T00:00:00Z", "until": "2027-02-01T00:00:00Z"}
INTERVALS = {"meterpurse-gateway": "1s", "meterpurse-fleet": "1h", "meterpurse-delivery": "1h"}
UNPAID_MINOR = (350_000, 12_345)
"""What the second meter owes for its two fees, 10 and 100 days after they fell due."""


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The bucket of a demo that was left running, with the second meter's points in it."""
    for name in PROGRAMS:
        require(name)
    folder = tmp_path_factory.mktemp("grafana") / "demo"
    command = [sys.executable, "-m", "deploy", "demo", "--seconds", "5", "--keep", "--folder", str(folder)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    processes = [int(number) for number in re.search(r"kill ([\d ]+);", ended.stdout)[1].split()]
    try:
        config = load(folder / "headend" / "headend.toml", HeadendConfig)
        feed(folder / "headend", config)
        assert config.influx is not None
        yield Target.of(config.influx)
    finally:
        for process in processes:
            os.kill(process, signal.SIGKILL)


def feed(folder: Path, config: HeadendConfig) -> None:
    """Let a second meter, its gateway and the notices say what the demo's year does not."""
    added = call("headend", "add-meter", folder, str(OTHER_TITLE), "--household", "Unit 2")
    assert added.code == 0, added.err
    token = (folder / "gateway.token").read_text().strip()
    with httpx.Client(
        base_url=f"http://{config.listen}/api/gateway/v1", headers={"Authorization": f"Bearer {token}"}
    ) as gateway:
        journal, forged = usual_journal(OTHER_TITLE), MeterJournal(OTHER_TITLE)
        forged.top_up(1)
        for sent, status in ((journal, "accepted"), (forged, "conflict")):
            answer = gateway.post("/records", json=records_json(sent.batch()))
            assert answer.json()["meters"][0]["status"] == status
        rows = [event_json(event) for event in rare_events()]
        assert gateway.post("/events", json={"batches": [{"system_title": str(OTHER_TITLE), "rows": rows}]}).is_success
        for number in (1, 2):
            assert gateway.post("/readings", json={"readings": [standing(number)]}).is_success
            assert gateway.put("/status", json=heartbeat(number)).is_success
            time.sleep(1.1)
    now = datetime.now(UTC)
    with transaction(config.database) as connection:
        points.enqueue(
            connection, [delivery(number, outcome, now) for number, outcome in enumerate(("sent", "failed"))]
        )
    deadline = time.monotonic() + 20
    while True:
        with transaction(config.database, rehearsal=True) as connection:
            if points.sink_status(connection).waiting <= 1:
                return
        assert time.monotonic() < deadline
        time.sleep(0.1)


def rare_events() -> list[MeterEvent]:
    codes = (EventCode.ASSOCIATION_REFUSED, EventCode.CLOCK_SET, EventCode.SHORTFALL_AHEAD)
    moment = CosemDateTime.from_instant(datetime(2026, 6, 1, tzinfo=UTC), SHANGHAI)
    return [
        MeterEvent(number=number, time=moment, code=int(code), fee_item=0, value=100, due=None)
        for number, code in enumerate(codes, 1)
    ]


def standing(number: int) -> dict[str, object]:
    """How the second meter stands; all was paid at the first reading."""
    moment = datetime(2026, 6, number, 8, tzinfo=SHANGHAI)
    return {
        "system_title": str(OTHER_TITLE),
        "time": CosemDateTime.from_instant(moment, SHANGHAI).octets.hex(),
        "read_at_s": int(moment.timestamp()),
        "energy_wh": 1000 * number,
        "flags": 4,
        "shortfall_minor": 4321,
        "items": [
            {
                "number": number_of_item,
                "state": 3,
                "due": CosemDateTime.from_instant(moment - timedelta(days=days), SHANGHAI).octets.hex(),
                "amount_minor": unpaid,
                "missed": number - 1,
            }
            for number_of_item, days, unpaid in zip((1, 2), (10, 100), UNPAID_MINOR, strict=True)
        ],
    }


def heartbeat(number: int) -> dict[str, object]:
    return {
        "system_title": "4D50520000000099",
        "lines": 1,
        "lines_failing": 0,
        "sessions": 20 * number,
        "sessions_failed": number,
        "upload_failures": 0,
        "held_rows": 3 * number,
        "maximum_rows": 1000,
        "collected_entries": 50 * number,
        "oldest_row_age_s": None,
        "acknowledgements_waiting": 0,
        "evidence": 0,
        "meters_held_back": 0,
    }


def delivery(number: int, outcome: str, now: datetime) -> str:
    return measurements.notice_delivery(
        meter=str(OTHER_TITLE),
        kind="deduction",
        channel="mail",
        outcome=outcome,
        number=number,
        attempts=1,
        waited_s=4,
        now=now,
    )


def chosen(bucket: Target, dashboard: grafana.Dashboard) -> dict[str, str]:
    """What Grafana puts for each variable when a dashboard is opened: all, or the first value."""
    values = {}
    for variable in dashboard.templating.list:
        found = [row["value"] for series in query(bucket, variable.query) for row in series.rows]
        assert found, f"{dashboard.title}: the variable {variable.name} has no values"
        values[variable.name] = grafana.EVERYTHING if variable.includeAll else sorted(found)[0]
    return values


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=[dashboard.uid for dashboard in DASHBOARDS])
def test_no_panel_is_empty(bucket: Target, dashboard: grafana.Dashboard) -> None:
    variables = chosen(bucket, dashboard)
    empty = []
    for panel in dashboard.panels:
        interval = INTERVALS.get(dashboard.uid, panel.interval or "1d")
        for target in panel.targets:
            asked = grafana.substituted(target.query, variables, **WHOLE_YEAR, interval=interval)
            if not has_values(bucket, asked):
                empty.append(f"{panel.title}: {asked}")
    assert empty == []


def test_arrears_are_shown_to_the_last_minor_unit(bucket: Target) -> None:
    (dashboard,) = (each for each in DASHBOARDS if each.uid == "meterpurse-money")
    variables = chosen(bucket, dashboard) | {"meter": str(OTHER_TITLE)}
    panels = {panel.title: panel for panel in dashboard.panels}

    def shown(title: str) -> list[list[float]]:
        """By target and series, the last value of its first column."""
        return [
            [next(iter(value for name, value in series.rows[-1].items() if name != "time")) for series in found]
            for target in panels[title].targets
            for found in [query(bucket, grafana.substituted(target.query, variables, **WHOLE_YEAR, interval="1d"))]
        ]

    ten_days, hundred_days = UNPAID_MINOR
    assert shown("Arrears ageing") == [[0], [ten_days / 100], [0], [hundred_days / 100]]
    assert shown("Arrears by payee") == [[ten_days / 100, hundred_days / 100]]
    assert shown("Fees and arrears") == [[hundred_days / 100, ten_days / 100]]  # in the order of the labels
    assert shown("Shortfall ahead") == [[4321 / 100]]


def has_values(bucket: Target, statement: str) -> bool:
    """Whether a query brings at least one value that is not null, beside the time."""
    return any(
        value is not None
        for series in query(bucket, statement)
        for row in series.rows
        for name, value in row.items()
        if name != "time"
    )


def test_every_single_choice_of_every_variable_can_be_asked(bucket: Target) -> None:
    asked = 0
    for dashboard in DASHBOARDS:
        variables = chosen(bucket, dashboard)
        for variable in dashboard.templating.list:
            for value in {row["value"] for series in query(bucket, variable.query) for row in series.rows}:
                picked = {**variables, variable.name: re.escape(value).replace("/", r"\/")}
                for panel in dashboard.panels:
                    for target in panel.targets:
                        query(bucket, grafana.substituted(target.query, picked, **WHOLE_YEAR, interval="1d"))
                        asked += 1
    assert asked > 100


def test_an_empty_query_and_one_with_a_mistake_are_found(bucket: Target) -> None:
    (dashboard,) = (each for each in DASHBOARDS if each.uid == "meterpurse-money")
    asked = grafana.substituted(
        dashboard.panels[0].targets[0].query, chosen(bucket, dashboard), **WHOLE_YEAR, interval="1d"
    )
    assert has_values(bucket, asked)
    assert not has_values(bucket, asked.replace('"purse_entry"', '"no_such"'))
    assert not has_values(bucket, asked.replace('"amount_minor"', '"no_such"'))
    with pytest.raises(QueryRefusedError, match="error parsing query"):
        query(bucket, asked.replace("SELECT", "SELECT SELECT"))


def test_every_alert_rule_can_be_asked(bucket: Target) -> None:
    now = datetime.now(UTC) + timedelta(minutes=1)
    answered = set()
    for group in RULES.groups:
        for rule in group.rules:
            step = rule.steps[0]
            since = now - timedelta(seconds=max(step.relativeTimeRange["from"], 1800))
            asked = grafana.substituted(
                step.model["query"], {}, since=f"{since:%FT%TZ}", until=f"{now:%FT%TZ}", interval="1m"
            )
            if query(bucket, asked):
                answered.add(rule.uid)
    assert {
        "meterpurse-outbox-growing",
        "meterpurse-points-waiting",
        "meterpurse-headend-silent",
        "meterpurse-lines-failing",
        "meterpurse-meter-silent",
        "meterpurse-chain-conflict",
        "meterpurse-notice-failures",
    } <= answered
