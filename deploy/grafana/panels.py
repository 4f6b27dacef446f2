"""The parts dashboards are made of: targets, panels of each kind, variables, rows of panels, a dashboard.

Everything here is Grafana's dashboard JSON (schema version 39, Grafana 10 and later) as plain dictionaries. What is
shown, and in which words, is the business of the modules that hold the dashboards. Imported by those and by `alerts`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

DATASOURCE: Json = {"type": "influxdb", "uid": "meterpurse-influxdb"}
SCHEMA_VERSION = 39
WIDTH = 24

GREEN, ORANGE, RED, BLUE, PURPLE, YELLOW, GREY = (
    "#56A64B",
    "#E8853B",
    "#D64545",
    "#3274D9",
    "#8F6BC2",
    "#E0B400",
    "#7B8087",
)
COLOURS = {
    "deduction": ORANGE,
    "top_up": GREEN,
    "reversal": BLUE,
    "adjustment": PURPLE,
    "accepted": GREEN,
    "gap": YELLOW,
    "conflict": RED,
    "sent": GREEN,
    "failed": YELLOW,
    "dead": RED,
}
"""A series of this name has this colour, on every dashboard."""

COUNT, SECONDS, PER_CENT, PER_SECOND, WATT_HOURS = "short", "s", "percent", "cps", "watth"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Width (of WIDTH) and height of a panel, in Grafana's grid units."""

    width: int
    height: int = 8


def target(query: str, *, alias: str = "", as_table: bool = False) -> Json:
    """One InfluxQL query; `alias` names its series, with `$tag_x` for the value of a tag."""
    return {
        "datasource": DATASOURCE,
        "query": query,
        "rawQuery": True,
        "resultFormat": "table" if as_table else "time_series",
        "alias": alias,
    }


def panel(  # noqa: PLR0913 - what a panel is made of
    kind: str,
    title: str,
    description: str,
    targets: Sequence[Json],
    *,
    unit: str,
    place: Place,
    options: Json,
    custom: Json | None = None,
    defaults: Json | None = None,
    overrides: Sequence[Json] = (),
    interval: str | None = None,
) -> Json:
    """A panel; `dashboard` gives it its id and its position."""
    lettered = [{"refId": chr(ord("A") + number), **each} for number, each in enumerate(targets)]
    made: Json = {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "targets": lettered,
        "gridPos": {"w": place.width, "h": place.height},
        "fieldConfig": {
            "defaults": {"unit": unit, "custom": custom or {}, **(defaults or {})},
            "overrides": [*overrides],
        },
        "options": options,
    }
    return made if interval is None else {**made, "interval": interval}


def lines(title: str, description: str, targets: Sequence[Json], *, unit: str, width: int = 12, **more: Any) -> Json:
    """Lines over time."""
    return _over_time(title, description, targets, unit=unit, width=width, style=_LINE, **more)


def steps(title: str, description: str, targets: Sequence[Json], *, unit: str, width: int = 12, **more: Any) -> Json:
    """A value that stays until it changes, such as a balance."""
    style = {**_LINE, "lineInterpolation": "stepAfter"}
    return _over_time(title, description, targets, unit=unit, width=width, style=style, **more)


def bars(title: str, description: str, targets: Sequence[Json], *, unit: str, width: int = 12, **more: Any) -> Json:
    """Stacked bars over time: amounts or counts per interval."""
    return _over_time(title, description, targets, unit=unit, width=width, style=_BARS, **more)


def stat(  # noqa: PLR0913 - what a figure is made of
    title: str,
    description: str,
    query: str,
    *,
    unit: str,
    colour: str = BLUE,
    width: int = 6,
    red_from: float | None = None,
    decimals: int | None = None,
) -> Json:
    """One figure; it turns red from `red_from` on."""
    stages: list[Json] = [{"color": colour, "value": None}]
    if red_from is not None:
        stages.append({"color": RED, "value": red_from})
    defaults: Json = {"color": {"mode": "thresholds"}, "thresholds": {"mode": "absolute", "steps": stages}}
    return panel(
        "stat",
        title,
        description,
        [target(query)],
        unit=unit,
        place=Place(width=width, height=4),
        options={
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "value",
            "graphMode": "none",
            "textMode": "value",
            "justifyMode": "auto",
            "orientation": "auto",
        },
        defaults=defaults if decimals is None else {**defaults, "decimals": decimals},
    )


def gauge_bars(title: str, description: str, targets: Sequence[Json], *, unit: str, width: int = 12) -> Json:
    """Horizontal bars, one per series, to compare amounts."""
    return panel(
        "bargauge",
        title,
        description,
        targets,
        unit=unit,
        place=Place(width=width),
        options={
            "displayMode": "basic",
            "orientation": "horizontal",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "showUnfilled": True,
            "minVizHeight": 16,
        },
        defaults={"min": 0, "color": {"mode": "fixed", "fixedColor": ORANGE}},
    )


def pie(title: str, description: str, query: str, *, unit: str, alias: str, width: int = 8) -> Json:
    """Shares of a whole."""
    return panel(
        "piechart",
        title,
        description,
        [target(query, alias=alias)],
        unit=unit,
        place=Place(width=width),
        options={
            "pieType": "donut",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "legend": {
                "displayMode": "table",
                "placement": "right",
                "showLegend": True,
                "values": ["value", "percent"],
            },
            "tooltip": {"mode": "single", "sort": "none"},
        },
        defaults={"color": {"mode": "palette-classic"}},
    )


def table(  # noqa: PLR0913 - what a table is made of
    title: str,
    description: str,
    query: str,
    *,
    units: dict[str, str],
    width: int = 12,
    height: int = 8,
    newest_first: bool = False,
) -> Json:
    """A table; `units` by column. Columns that are not named there are counts or words."""
    return panel(
        "table",
        title,
        description,
        [target(query, as_table=True)],
        unit=COUNT,
        place=Place(width=width, height=height),
        options={
            "showHeader": True,
            "cellHeight": "sm",
            "footer": {"show": False, "reducer": ["sum"], "fields": ""},
            "sortBy": [{"displayName": "Time", "desc": True}] if newest_first else [],
        },
        custom={"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True},
        overrides=[_override(column, [{"id": "unit", "value": unit}]) for column, unit in units.items()],
    )


def variable(name: str, label: str, query: str, *, several: bool) -> Json:
    """A drop-down list of tag values; `several`: any number of them, at first all."""
    made: Json = {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATASOURCE,
        "query": query,
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "hide": 0,
        "multi": several,
        "includeAll": several,
        "options": [],
        "skipUrlSync": False,
    }
    if several:
        made |= {"allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]}}
    else:
        made["current"] = {}
    return made


def dashboard(  # noqa: PLR0913 - what a dashboard is made of
    uid: str, title: str, description: str, *, variables: Sequence[Json], panels: Iterable[Json], since: str
) -> Json:
    """A dashboard; panels flow from left to right and top to bottom in the order given."""
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["meterpurse"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": since, "to": "now"},
        "timepicker": {},
        "timezone": "browser",
        "weekStart": "",
        "fiscalYearStartMonth": 0,
        "liveNow": False,
        "style": "dark",
        "annotations": {"list": []},
        "links": [
            {
                "type": "dashboards",
                "title": "MeterPurse",
                "tags": ["meterpurse"],
                "asDropdown": True,
                "includeVars": True,
                "keepTime": True,
                "targetBlank": False,
                "icon": "external link",
                "tooltip": "",
                "url": "",
            }
        ],
        "templating": {"list": [*variables]},
        "panels": _placed(panels),
    }


def _over_time(
    title: str, description: str, targets: Sequence[Json], *, unit: str, width: int, style: Json, **more: Any
) -> Json:
    return panel(
        "timeseries",
        title,
        description,
        targets,
        unit=unit,
        place=Place(width=width),
        options={
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        custom=style,
        defaults={"color": {"mode": "palette-classic"}},
        overrides=[
            _override(name, [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}])
            for name, colour in COLOURS.items()
        ],
        **more,
    )


def _override(name: str, properties: list[Json]) -> Json:
    return {"matcher": {"id": "byName", "options": name}, "properties": properties}


def _placed(panels: Iterable[Json]) -> list[Json]:
    placed: list[Json] = []
    x = y = tallest = 0
    for number, made in enumerate(panels, start=1):
        width, height = made["gridPos"]["w"], made["gridPos"]["h"]
        if x + width > WIDTH:
            x, y, tallest = 0, y + tallest, 0
        placed.append({"id": number, **made, "gridPos": {"x": x, "y": y, "w": width, "h": height}})
        x, tallest = x + width, max(tallest, height)
    return placed


_LINE: Json = {
    "drawStyle": "line",
    "lineInterpolation": "linear",
    "lineWidth": 2,
    "fillOpacity": 8,
    "showPoints": "auto",
    "pointSize": 4,
    "spanNulls": True,
    "stacking": {"mode": "none", "group": "A"},
}
_BARS: Json = {
    "drawStyle": "bars",
    "lineWidth": 1,
    "fillOpacity": 70,
    "barAlignment": 0,
    "showPoints": "never",
    "stacking": {"mode": "normal", "group": "A"},
}
