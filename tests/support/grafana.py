"""Grafana's provisioning as tests read it: the fields Grafana needs, and queries as Grafana would send them.

The models name what Grafana's documentation of the dashboard and alerting JSON asks for; a field too few, or one of
another type, is a validation error. Fields beyond these are Grafana's own business.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter

Name = Annotated[str, Field(min_length=1)]
Uid = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
EVERYTHING = ".*"
_PLAIN_UNITS = {"short", "s", "percent", "cps", "watth"}


class Datasource(BaseModel):
    """A reference to a data source."""

    type: Literal["influxdb"]
    uid: Literal["meterpurse-influxdb"]


class Target(BaseModel):
    """One query of a panel."""

    refId: Annotated[str, Field(pattern="^[A-Z]$")]
    datasource: Datasource
    query: Name
    rawQuery: Literal[True]
    resultFormat: Literal["time_series", "table"]
    alias: str


class GridPos(BaseModel):
    """Where a panel is."""

    x: Annotated[int, Field(ge=0, le=23)]
    y: Annotated[int, Field(ge=0)]
    w: Annotated[int, Field(ge=1, le=24)]
    h: Annotated[int, Field(ge=1, le=40)]


class FieldConfig(BaseModel):
    """How values are shown."""

    defaults: dict[str, Any]
    overrides: list[dict[str, Any]]


class Panel(BaseModel):
    """One panel; `description` is what a reader sees behind the i."""

    id: Annotated[int, Field(ge=1)]
    type: Literal["timeseries", "stat", "table", "bargauge", "piechart"]
    title: Name
    description: Annotated[str, Field(min_length=10, max_length=160)]
    datasource: Datasource
    gridPos: GridPos
    targets: Annotated[list[Target], Field(min_length=1)]
    fieldConfig: FieldConfig
    options: dict[str, Any]
    interval: str | None = None


class Variable(BaseModel):
    """A drop-down list of a dashboard."""

    name: Name
    label: Name
    type: Literal["query"]
    datasource: Datasource
    query: Name
    refresh: Literal[1, 2]
    multi: bool
    includeAll: bool
    current: dict[str, Any]
    options: list[Any]


class Templating(BaseModel):
    """The variables."""

    list: list[Variable]


class Dashboard(BaseModel):
    """A dashboard."""

    uid: Uid
    title: Name
    description: Name
    tags: list[str]
    schemaVersion: Annotated[int, Field(ge=36)]
    version: int
    editable: bool
    time: dict[Literal["from", "to"], str]
    timepicker: dict[str, Any]
    timezone: str
    refresh: str
    annotations: dict[Literal["list"], list[Any]]
    templating: Templating
    panels: Annotated[list[Panel], Field(min_length=4)]


class Step(BaseModel):
    """One query or expression of a rule."""

    refId: Annotated[str, Field(pattern="^[A-Z]$")]
    datasourceUid: Literal["meterpurse-influxdb", "__expr__"]
    relativeTimeRange: dict[Literal["from", "to"], int]
    model: dict[str, Any]


class Rule(BaseModel):
    """An alert rule."""

    uid: Uid
    title: Name
    condition: Literal["C"]
    wait: Annotated[str, Field(alias="for", pattern=r"^\d+[smh]$")]
    noDataState: Literal["OK", "NoData", "Alerting"]
    execErrState: Literal["OK", "Error", "Alerting"]
    labels: dict[str, str]
    annotations: dict[Literal["summary"], Name]
    steps: Annotated[list[Step], Field(min_length=3, max_length=3, alias="data")]


class Group(BaseModel):
    """A group of rules."""

    orgId: Literal[1]
    name: Name
    folder: Name
    interval: Annotated[str, Field(pattern=r"^\d+[smh]$")]
    rules: Annotated[list[Rule], Field(min_length=1)]


class Rules(BaseModel):
    """The provisioning file of the rules."""

    apiVersion: Literal[1]
    groups: Annotated[list[Group], Field(min_length=1)]


DASHBOARD, RULES = TypeAdapter(Dashboard), TypeAdapter(Rules)


def looks(dashboard: Dashboard) -> list[str]:
    """What is wrong with a dashboard that the models cannot see: overlaps, units, double ids, unknown variables."""
    faults = []
    ids = [panel.id for panel in dashboard.panels]
    if len(set(ids)) != len(ids):
        faults.append("two panels with one id")
    taken: set[tuple[int, int]] = set()
    known = {variable.name for variable in dashboard.templating.list} | {"timeFilter", "__interval"}
    for panel in dashboard.panels:
        at = panel.gridPos
        cells = {(x, y) for x in range(at.x, at.x + at.w) for y in range(at.y, at.y + at.h)}
        if at.x + at.w > 24 or taken & cells:
            faults.append(f"{panel.title}: overlaps or stands out")
        taken |= cells
        unit = panel.fieldConfig.defaults.get("unit")
        if unit not in _PLAIN_UNITS and not str(unit).startswith("prefix:"):
            faults.append(f"{panel.title}: unit {unit}")
        for target in panel.targets:
            unknown = set(re.findall(r"\$(\w+)", target.query)) - known
            faults += [f"{panel.title}: unknown variable {name}" for name in sorted(unknown)]
    return faults


def substituted(query: str, variables: dict[str, str], *, since: str, until: str, interval: str) -> str:
    """A query as Grafana sends it: macros and variables replaced. Times are RFC 3339."""
    values = {"timeFilter": f"time >= '{since}' AND time <= '{until}'", "__interval": interval, **variables}
    return re.sub(r"\$(\w+)", lambda found: values[found[1]], query)
