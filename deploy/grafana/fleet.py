"""The dashboards about the machinery: *Fleet* (meters and ledger), *Gateway*, *Delivery* (notices and points).

They show what is reported today; what no meter tells, such as its firmware, is on no dashboard. Imported by `generate`.
"""

from deploy.grafana.panels import (
    COUNT,
    GREEN,
    PER_CENT,
    PER_SECOND,
    RED,
    SECONDS,
    Json,
    bars,
    dashboard,
    lines,
    stat,
    steps,
    table,
    target,
    variable,
)

_METER_STATUS = '"meter_status" WHERE "meter" =~ /^$meter$/ AND $timeFilter'
_PURSES = '"purse_status" WHERE "meter" =~ /^$meter$/ AND $timeFilter'
_EVENTS = '"meter_event" WHERE "meter" =~ /^$meter$/ AND $timeFilter'
_GATEWAY = '"gateway_status" WHERE "gateway" =~ /^$gateway$/ AND $timeFilter'
_HEADEND = '"headend_status" WHERE $timeFilter'
_NOTICES = '"notice_delivery" WHERE "meter" =~ /^$meter$/ AND "channel" =~ /^$channel$/ AND $timeFilter'
_BY_TIME = "GROUP BY time($__interval)"


def fleet() -> Json:
    """Which meters are heard from, how late, and what they report."""
    return dashboard(
        "meterpurse-fleet",
        "Fleet",
        "The meters as the head-end hears them: records taken in, how late, refusals and clocks from their event logs.",
        variables=[_METERS],
        panels=[*_fleet_figures(), *_fleet_charts(), _clock_drift(), *_fleet_tables()],
        since="now-7d",
    )


def gateway() -> Json:
    """The gateways' heartbeats."""
    return dashboard(
        "meterpurse-gateway",
        "Gateway",
        "What the gateways report of themselves, once a minute unless configured otherwise.",
        variables=[_GATEWAYS],
        panels=[*_gateway_outbox(), *_gateway_work()],
        since="now-24h",
    )


def delivery() -> Json:
    """Notices to households, and points to InfluxDB."""
    return dashboard(
        "meterpurse-delivery",
        "Delivery",
        "Notices on their way to households, and points on their way to InfluxDB.",
        variables=[_NOTICE_METERS, _CHANNEL],
        panels=[*_notice_panels(), *_point_panels()],
        since="now-24h",
    )


def _fleet_figures() -> list[Json]:
    return [
        _head("Meters", "Registered with the head-end.", "meters"),
        stat(
            "Heard from",
            "Meters whose records came in the time range.",
            f'SELECT count("n") FROM (SELECT count("sequence") AS "n" FROM {_METER_STATUS} GROUP BY "meter")',
            unit=COUNT,
            colour=GREEN,
            width=4,
        ),
        _head("Entries", "Booked in the ledger, of all meters.", "entries"),
        _head("Conflicts", "Rows that contradict the ledger, kept as evidence.", "conflicts", red_from=1),
        _head("Unknown meters", "Turned away because nobody registered them.", "unknown_meters", red_from=1),
        _head("Points refused", "By InfluxDB, for good: `headend influx status`.", "points_refused", red_from=1),
    ]


def _fleet_charts() -> list[Json]:
    return [
        bars(
            "Batches by answer",
            "What became of the batches of records that gateways uploaded.",
            [
                target(
                    f'SELECT count("sequence") FROM {_METER_STATUS} {_BY_TIME}, "status" fill(none)',
                    alias="$tag_status",
                )
            ],
            unit=COUNT,
        ),
        lines(
            "Collection latency",
            "From the last row of a batch to its booking. It holds what the meter's clock is off by.",
            [
                target(f'SELECT median("latency_s") FROM {_METER_STATUS} {_BY_TIME} fill(none)', alias="median"),
                target(f'SELECT max("latency_s") FROM {_METER_STATUS} {_BY_TIME} fill(none)', alias="longest"),
            ],
            unit=SECONDS,
        ),
        bars(
            "Refused associations and APDUs",
            "From the meters' event logs: refused associations, failed decryption, replays.",
            [
                target(
                    f'SELECT count("number") FROM {_EVENTS} AND ("code" = \'association_refused\' '
                    "OR \"code\" = 'decryption_failed' OR \"code\" = 'replay_refused') "
                    f'{_BY_TIME}, "code" fill(none)',
                    alias="$tag_code",
                )
            ],
            unit=COUNT,
        ),
        bars(
            "Clocks and power",
            "From the meters' event logs: clock set, clock invalid, power up.",
            [
                target(
                    f'SELECT count("number") FROM {_EVENTS} AND ("code" = \'clock_set\' '
                    "OR \"code\" = 'clock_invalid' OR \"code\" = 'power_up') "
                    f'{_BY_TIME}, "code" fill(none)',
                    alias="$tag_code",
                )
            ],
            unit=COUNT,
        ),
    ]


def _clock_drift() -> Json:
    return lines(
        "Clock drift",
        "The meters' clocks less their gateways', when they were last read: the furthest ahead and behind.",
        [
            target(f'SELECT max("clock_offset_s") FROM {_PURSES} {_BY_TIME} fill(none)', alias="furthest ahead"),
            target(f'SELECT min("clock_offset_s") FROM {_PURSES} {_BY_TIME} fill(none)', alias="furthest behind"),
        ],
        unit=SECONDS,
        width=24,
    )


def _fleet_tables() -> list[Json]:
    return [
        table(
            "Meters",
            "The last batch of each meter in the time range.",
            f'SELECT last("sequence") AS "entries", "rows", "latency_s" AS "latency" FROM {_METER_STATUS} '
            'GROUP BY "meter"',
            units={"latency": SECONDS},
            width=12,
            height=10,
        ),
        table(
            "Events",
            "How many of each kind the meters reported in the time range.",
            f'SELECT count("number") AS "events", last("value") AS "last value" FROM {_EVENTS} GROUP BY "code"',
            units={},
            width=12,
            height=10,
        ),
    ]


def _gateway_outbox() -> list[Json]:
    return [
        _gateway_stat("Lines", "Meters the gateways collect from.", "lines"),
        _gateway_stat("Lines failing", "Meters whose last session failed.", "lines_failing", red_from=1),
        _gateway_stat("Held back", "Meters whose rows the head-end does not take.", "meters_held_back", red_from=1),
        _gateway_stat("Evidence", "Rows with a gap or fork, kept and not uploaded.", "evidence", red_from=1),
        steps(
            "Outbox fill",
            "Rows and events waiting, in per cent of what may be held. Meters keep their rows when it is full.",
            [
                target(
                    f'SELECT 100 * max("held_rows") / max("maximum_rows") FROM {_GATEWAY} '
                    f'{_BY_TIME}, "gateway" fill(none)',
                    alias="$tag_gateway",
                )
            ],
            unit=PER_CENT,
        ),
        _gateway_lines("Outbox", "Rows and events waiting for the head-end.", "held_rows", COUNT),
        _gateway_lines("Age of the oldest row", "How long the oldest waiting row waits.", "oldest_row_age_s", SECONDS),
    ]


def _gateway_work() -> list[Json]:
    return [
        _gateway_lines("Acknowledgements", "Waiting to be told to meters.", "acknowledgements_waiting", COUNT),
        lines(
            "Collected entries per second",
            "New journal rows read from meters.",
            [
                target(
                    f'SELECT non_negative_derivative(max("collected_entries"), 1s) FROM {_GATEWAY} '
                    f'{_BY_TIME}, "gateway" fill(none)',
                    alias="$tag_gateway",
                )
            ],
            unit=PER_SECOND,
        ),
        lines(
            "Sessions per second",
            "Sessions begun with meters, and those that failed.",
            [
                target(_growth("sessions"), alias="sessions"),
                target(_growth("sessions_failed"), alias="failed sessions"),
            ],
            unit=PER_SECOND,
        ),
        lines(
            "Errors",
            "Meters whose last session failed, and uploads that failed in a row.",
            [
                target(f'SELECT max("lines_failing") FROM {_GATEWAY} {_BY_TIME} fill(none)', alias="lines failing"),
                target(f'SELECT max("upload_failures") FROM {_GATEWAY} {_BY_TIME} fill(none)', alias="upload failures"),
            ],
            unit=COUNT,
        ),
    ]


def _growth(field: str) -> str:
    return (
        f'SELECT sum("growth") FROM (SELECT non_negative_derivative(max("{field}"), 1s) AS "growth" FROM {_GATEWAY} '
        f'{_BY_TIME}, "gateway" fill(none)) WHERE $timeFilter {_BY_TIME} fill(none)'
    )


def _notice_panels() -> list[Json]:
    return [
        _notices("Sent", "Notices that left in the time range.", "\"outcome\" = 'sent'", GREEN),
        _notices("Not sent", "Attempts that failed or were refused.", "\"outcome\" <> 'sent'", RED),
        _head("Points waiting", "In the outbox to InfluxDB.", "points_waiting", width=6),
        _head(
            "Points refused",
            "By InfluxDB, for good: `headend influx status`.",
            "points_refused",
            red_from=1,
            width=6,
        ),
        bars(
            "Notices by outcome",
            "Each attempt to send a notice.",
            [target(f'SELECT count("notice") FROM {_NOTICES} {_BY_TIME}, "outcome" fill(none)', alias="$tag_outcome")],
            unit=COUNT,
        ),
        bars(
            "Notices by channel",
            "Each attempt to send a notice.",
            [target(f'SELECT count("notice") FROM {_NOTICES} {_BY_TIME}, "channel" fill(none)', alias="$tag_channel")],
            unit=COUNT,
        ),
        lines(
            "Waiting time of notices",
            "From the notice's writing to the end of the attempt; quiet hours and digests are in it.",
            [
                target(f'SELECT median("waited_s") FROM {_NOTICES} {_BY_TIME} fill(none)', alias="median"),
                target(f'SELECT max("waited_s") FROM {_NOTICES} {_BY_TIME} fill(none)', alias="longest"),
            ],
            unit=SECONDS,
        ),
        table(
            "Not sent",
            "The attempts that failed, newest first.",
            f'SELECT "meter", "kind", "channel", "outcome", "attempts", "notice" FROM {_NOTICES} '
            "AND \"outcome\" <> 'sent'",
            units={},
            newest_first=True,
        ),
    ]


def _point_panels() -> list[Json]:
    return [
        lines(
            "Points waiting",
            "Points in the outbox to InfluxDB. InfluxDB learns of its own absence afterwards.",
            [target(f'SELECT max("points_waiting") FROM {_HEADEND} {_BY_TIME} fill(none)', alias="points")],
            unit=COUNT,
        ),
        lines(
            "Age of the oldest point",
            "How long the oldest point in the outbox waits: the lag behind the ledger.",
            [target(f'SELECT max("oldest_point_s") FROM {_HEADEND} {_BY_TIME} fill(none)', alias="oldest")],
            unit=SECONDS,
        ),
    ]


def _head(title: str, description: str, name: str, *, red_from: float | None = None, width: int = 4) -> Json:
    query = f'SELECT last("{name}") FROM {_HEADEND}'
    return stat(title, description, query, unit=COUNT, width=width, red_from=red_from)


def _gateway_stat(title: str, description: str, name: str, *, red_from: float | None = None) -> Json:
    query = f'SELECT sum("last") FROM (SELECT last("{name}") FROM {_GATEWAY} GROUP BY "gateway")'
    return stat(title, description, query, unit=COUNT, red_from=red_from)


def _gateway_lines(title: str, description: str, name: str, unit: str) -> Json:
    query = f'SELECT max("{name}") FROM {_GATEWAY} {_BY_TIME}, "gateway" fill(none)'
    return lines(title, description, [target(query, alias="$tag_gateway")], unit=unit)


def _notices(title: str, description: str, condition: str, colour: str) -> Json:
    return stat(
        title, description, f'SELECT count("notice") FROM {_NOTICES} AND {condition}', unit=COUNT, colour=colour
    )


def _variable(name: str, label: str, measurement: str) -> Json:
    return variable(name, label, f'SHOW TAG VALUES FROM "{measurement}" WITH KEY = "{name}"', several=True)


_METERS = _variable("meter", "Meter", "meter_status")
_GATEWAYS = _variable("gateway", "Gateway", "gateway_status")
_NOTICE_METERS = _variable("meter", "Meter", "notice_delivery")
_CHANNEL = _variable("channel", "Channel", "notice_delivery")
