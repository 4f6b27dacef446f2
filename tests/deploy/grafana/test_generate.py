"""Grafana's shipped files: made by the generator, with the fields Grafana needs, under uids that never change."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from deploy.grafana import generate
from deploy.grafana.money import Shown
from tests.support import grafana
from tests.support.sources import ROOT

FOLDER = ROOT / "deploy" / "grafana"
MADE = generate.documents(Shown())
DASHBOARDS = {name: document for name, document in MADE.items() if name.startswith("dashboards/")}
RULES = MADE["provisioning/alerting/meterpurse.json"]


def test_the_shipped_files_are_the_generated_ones() -> None:
    shipped = {path.relative_to(FOLDER).as_posix(): path.read_text() for path in FOLDER.rglob("*.json")}
    assert shipped == {name: generate.text_of(document) for name, document in MADE.items()}


def test_uids_never_change() -> None:
    assert {document["uid"]: document["title"] for document in DASHBOARDS.values()} == {
        "meterpurse-money": "Money",
        "meterpurse-one-meter": "One meter",
        "meterpurse-fleet": "Fleet",
        "meterpurse-gateway": "Gateway",
        "meterpurse-delivery": "Delivery",
    }
    assert [rule["uid"] for group in RULES["groups"] for rule in group["rules"]] == [
        "meterpurse-outbox-growing",
        "meterpurse-points-waiting",
        "meterpurse-headend-silent",
        "meterpurse-lines-failing",
        "meterpurse-meter-silent",
        "meterpurse-chain-conflict",
        "meterpurse-notice-failures",
        "meterpurse-shortfall-wave",
    ]
    datasource = (FOLDER / "provisioning" / "datasources" / "meterpurse.yaml").read_text()
    assert re.findall(r"uid: (\S+)", datasource) == ["meterpurse-influxdb"]
    used = set(re.findall(r'"uid": "(meterpurse-influxdb|__expr__|[^"]*influx[^"]*)"', json.dumps(MADE)))
    assert used == {"meterpurse-influxdb", "__expr__"}


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_has_what_grafana_needs(name: str) -> None:
    dashboard = grafana.DASHBOARD.validate_python(MADE[name])
    assert grafana.looks(dashboard) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("uid",), "Money Board"),
        (("panels", 0, "description"), ""),
        (("panels", 0, "targets"), []),
        (("panels", 0, "datasource", "uid"), "another"),
        (("panels", 0, "gridPos", "w"), 25),
        (("templating", "list", 0, "query"), ""),
    ],
)
def test_a_field_that_is_wrong_is_found(path: tuple[str | int, ...], value: object) -> None:
    spoilt = json.loads(json.dumps(MADE["dashboards/money.json"]))
    *way, last = path
    place = spoilt
    for step in way:
        place = place[step]
    place[last] = value
    with pytest.raises(ValidationError):
        grafana.DASHBOARD.validate_python(spoilt)


def test_another_currency_has_its_sign_and_its_minor_units(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.grafana.generate", str(tmp_path), "--sign", "JP¥", "--minor-per-unit", "1"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    text = (tmp_path / "dashboards" / "money.json").read_text()
    assert "prefix:JP¥ " in text
    assert "/ -1 " in text
    assert "/ 100" not in text
