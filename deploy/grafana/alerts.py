"""The alert rules, as Grafana's alerting provisioning reads them. Imported by `generate`.

Each rule asks InfluxDB once a minute, keeps the last value of each series (one per meter or gateway) and compares it
with a threshold; a series above it for the given time is an alert. No points at all is no alert, except where silence
itself is the trouble.
"""

from dataclasses import dataclass

from deploy.grafana.panels import DATASOURCE, Json

FOLDER = "MeterPurse"
_EXPRESSION: Json = {"type": "__expr__", "uid": "__expr__"}
_DAY_S = 86_400
SILENT_DAYS = 35
"""A meter sends a row for each fee, so a month without one is not normal."""
WAVE_METERS = 10
"""As many households told of a shortage within a day are a wave: wrong parameters, or a forgotten top-up date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: the query over the last `range_s` seconds, and the bound its last value must not cross."""

    uid: str
    title: str
    summary: str
    query: str
    range_s: int
    bound: float
    above: bool = True
    waits: str = "5m"
    severity: str = "warning"
    no_points: str = "OK"

    def document(self) -> Json:
        """The rule as Grafana reads it."""
        return {
            "uid": self.uid,
            "title": self.title,
            "condition": "C",
            "for": self.waits,
            "noDataState": self.no_points,
            "execErrState": "Error",
            "isPaused": False,
            "labels": {"severity": self.severity, "product": "meterpurse"},
            "annotations": {"summary": self.summary},
            "data": [
                self._query(),
                _step("B", {"type": "reduce", "expression": "A", "reducer": "last"}),
                _step("C", {"type": "threshold", "expression": "B", "conditions": [self._condition()]}),
            ],
        }

    def _query(self) -> Json:
        return {
            "refId": "A",
            "datasourceUid": DATASOURCE["uid"],
            "relativeTimeRange": {"from": self.range_s, "to": 0},
            "model": {
                "refId": "A",
                "datasource": DATASOURCE,
                "query": self.query,
                "rawQuery": True,
                "resultFormat": "time_series",
                "intervalMs": 60_000,
                "maxDataPoints": 1000,
            },
        }

    def _condition(self) -> Json:
        return {"evaluator": {"type": "gt" if self.above else "lt", "params": [self.bound]}}


RULES = (
    Rule(
        uid="meterpurse-outbox-growing",
        title="Outbox growing",
        summary="A gateway's outbox holds rows for more than an hour: the head-end does not take them.",
        query='SELECT max("oldest_row_age_s") FROM "gateway_status" WHERE $timeFilter '
        'GROUP BY time(1m), "gateway" fill(none)',
        range_s=600,
        bound=3600,
    ),
    Rule(
        uid="meterpurse-points-waiting",
        title="Points waiting",
        summary="Points wait in the head-end's outbox: InfluxDB took them again only now, or is refusing work.",
        query='SELECT max("oldest_point_s") FROM "headend_status" WHERE $timeFilter GROUP BY time(1m) fill(none)',
        range_s=600,
        bound=600,
    ),
    Rule(
        uid="meterpurse-headend-silent",
        title="Head-end silent",
        summary="The head-end has written no figures for five minutes: it is down, or cannot reach InfluxDB.",
        query='SELECT count("meters") FROM "headend_status" WHERE $timeFilter',
        range_s=300,
        bound=1,
        above=False,
        severity="critical",
        no_points="Alerting",
    ),
    Rule(
        uid="meterpurse-lines-failing",
        title="Meters not reached",
        summary="A gateway's last sessions with some of its meters failed.",
        query='SELECT max("lines_failing") FROM "gateway_status" WHERE $timeFilter '
        'GROUP BY time(1m), "gateway" fill(none)',
        range_s=600,
        bound=0,
        waits="30m",
    ),
    Rule(
        uid="meterpurse-meter-silent",
        title="Meter silent",
        summary=f"No record of a meter came for {SILENT_DAYS} days, though some did before.",
        query=f'SELECT moving_average(count("sequence"), {SILENT_DAYS}) FROM "meter_status" WHERE $timeFilter '
        'GROUP BY time(1d), "meter" fill(0)',
        range_s=120 * _DAY_S,
        bound=0.001,
        above=False,
        waits="1h",
    ),
    Rule(
        uid="meterpurse-chain-conflict",
        title="Chain conflict",
        summary="A meter's rows contradict the ledger. Nothing was booked; the rows are kept as evidence.",
        query='SELECT count("sequence") FROM "meter_status" WHERE "status" = \'conflict\' AND $timeFilter '
        'GROUP BY "meter"',
        range_s=3600,
        bound=0,
        waits="0s",
        severity="critical",
    ),
    Rule(
        uid="meterpurse-notice-failures",
        title="Notice failures",
        summary="More than five attempts to send notices failed within a quarter of an hour.",
        query='SELECT count("notice") FROM "notice_delivery" WHERE "outcome" <> \'sent\' AND $timeFilter '
        'GROUP BY "channel"',
        range_s=900,
        bound=5,
    ),
    Rule(
        uid="meterpurse-shortfall-wave",
        title="Balance shortfall wave",
        summary=f"More than {WAVE_METERS} households were told within a day that money is or will be missing.",
        query='SELECT count("told") FROM (SELECT count("value") AS "told" FROM "meter_event" '
        'WHERE ("code" = \'shortfall_ahead\' OR "code" = \'insufficient\') AND $timeFilter GROUP BY "meter")',
        range_s=_DAY_S,
        bound=WAVE_METERS,
        waits="0s",
    ),
)


def rules_document() -> Json:
    """The provisioning file of all rules."""
    return {
        "apiVersion": 1,
        "groups": [
            {
                "orgId": 1,
                "name": "meterpurse",
                "folder": FOLDER,
                "interval": "1m",
                "rules": [rule.document() for rule in RULES],
            }
        ],
    }


def _step(letter: str, model: Json) -> Json:
    return {
        "refId": letter,
        "datasourceUid": _EXPRESSION["uid"],
        "relativeTimeRange": {"from": 0, "to": 0},
        "model": {"refId": letter, "datasource": _EXPRESSION, **model},
    }
