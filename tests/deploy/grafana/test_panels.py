"""The parts of dashboards: placed without overlaps, under colours that mean the same everywhere."""

import json

from deploy.grafana.generate import documents
from deploy.grafana.money import Shown
from deploy.grafana.panels import COLOURS, COUNT, bars, dashboard, stat, target
from tests.support import grafana

MADE = documents(Shown())


def test_what_looks_wrong_is_found() -> None:
    spoilt = json.loads(json.dumps(MADE["dashboards/money.json"]))
    first, second, third, *_ = spoilt["panels"]
    second["id"] = first["id"]
    second["gridPos"] = first["gridPos"]
    third["fieldConfig"]["defaults"]["unit"] = "currencyUSD"
    third["targets"][0]["query"] += " AND $nothing"
    assert len(grafana.looks(grafana.DASHBOARD.validate_python(spoilt))) == 4


def test_panels_flow_from_left_to_right_and_top_to_bottom() -> None:
    wide = bars("Bars", "Some bars.", [target("SELECT 1")], unit=COUNT, width=16)
    small = stat("Figure", "One figure.", "SELECT 1", unit=COUNT)
    made = dashboard("uid", "Title", "Words", variables=[], panels=[small, small, wide, small], since="now-1h")
    places = [tuple(panel["gridPos"][key] for key in "xywh") for panel in made["panels"]]
    assert places == [(0, 0, 6, 4), (6, 0, 6, 4), (0, 4, 16, 8), (16, 4, 6, 4)]


def test_a_name_has_one_colour_on_every_chart() -> None:
    (override, *_) = bars("Bars", "Some bars.", [target("SELECT 1")], unit=COUNT)["fieldConfig"]["overrides"]
    assert override["matcher"] == {"id": "byName", "options": "deduction"}
    assert override["properties"][0]["value"]["fixedColor"] == COLOURS["deduction"]


def test_a_figure_turns_red_from_its_bound_on() -> None:
    made = stat("Conflicts", "Some words.", "SELECT 1", unit=COUNT, red_from=1)
    stages = made["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [stage["value"] for stage in stages] == [None, 1]
