"""The gateway's outbox as operators see it: tables for people, plain values for programs.

Imported by `meterpurse gateway outbox` when it is called.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from deploy.tables import amount, table
from dlms_objects.purse.entry import Entry
from dlms_objects.values.system_title import SystemTitle
from gateway.holdings import Holdings, KeptEvidence, MeterHolding
from gateway.records import UplinkStatus

Names = Mapping[SystemTitle, str]
"""What the configuration calls each meter."""

_MEANING = {
    UplinkStatus.CONFLICT: "the head-end has other rows under the same numbers; compare the evidence on both sides",
    UplinkStatus.GAP: "the head-end misses rows before these",
    UplinkStatus.UNKNOWN_METER: "the head-end does not know this meter; register it there",
    UplinkStatus.REFUSED: "the head-end could not take the request",
}


def holdings_document(holdings: Holdings, names: Names) -> dict[str, Any]:
    """Everything as JSON has it; `days_left` null where the rate is not known."""
    return {
        "held_rows": holdings.held_rows,
        "maximum_rows": holdings.maximum_rows,
        "fill": holdings.fill,
        "days_left": holdings.days_left,
        "meters": [_meter_document(meter, names) for meter in holdings.meters],
    }


def _meter_document(meter: MeterHolding, names: Names) -> dict[str, Any]:
    return {
        "name": names.get(meter.title),
        "system_title": str(meter.title),
        "collected": meter.collected,
        "held_rows": meter.held_rows,
        "held_events": meter.held_events,
        "oldest_row_age_s": meter.oldest_row_age_s,
        "uplink_status": meter.uplink_status.value,
        "uplink_detail": meter.uplink_detail,
        "acknowledgement_waiting": meter.acknowledgement_waiting,
        "evidence": meter.evidence,
    }


def summary(holdings: Holdings) -> str:
    """The outbox as a whole, in a line."""
    left = "not known yet" if holdings.days_left is None else f"{holdings.days_left:.1f} days"
    return (
        f"{holdings.held_rows} of {holdings.maximum_rows} rows held ({holdings.fill:.1%});"
        f" room without the head-end: {left}"
    )


def holdings_table(holdings: Holdings, names: Names) -> Table:
    """A line for each meter."""
    return table(
        "Held for the head-end",
        ("meter", "system title", "collected", "rows", "events", "oldest", "head-end", "evidence"),
        (
            (
                names.get(meter.title, "(not configured)"),
                meter.title,
                meter.collected,
                meter.held_rows,
                meter.held_events,
                "-" if meter.oldest_row_age_s is None else age(meter.oldest_row_age_s),
                _verdict(meter),
                meter.evidence or "-",
            )
            for meter in holdings.meters
        ),
    )


def _verdict(meter: MeterHolding) -> str:
    if meter.uplink_status is UplinkStatus.ACCEPTED:
        return "accepted"
    detail = f" ({meter.uplink_detail})" if meter.uplink_detail else ""
    return f"held back: {meter.uplink_status.value}: {_MEANING[meter.uplink_status]}{detail}"


def evidence_table(found: list[KeptEvidence], names: Names) -> Table:
    """A line for each piece."""
    return table(
        "Evidence",
        ("no", "meter", "found", "cause", "expected after", "found instead", "rows"),
        (
            (
                each.number,
                names.get(each.title, str(each.title)),
                _instant(each.found_at_s).replace("T", " "),
                each.cause,
                each.expected.sequence,
                each.found.sequence,
                len(each.rows),
            )
            for each in found
        ),
    )


def evidence_document(evidence: KeptEvidence, names: Names) -> dict[str, Any]:
    """One piece with its rows: as they came, and read where they can be."""
    rows = zip(evidence.rows, evidence.entries(), strict=True)
    return {
        "id": evidence.number,
        "name": names.get(evidence.title),
        "system_title": str(evidence.title),
        "found_at": _instant(evidence.found_at_s),
        "cause": evidence.cause,
        "expected": {"sequence": evidence.expected.sequence, "digest": evidence.expected.digest.hex()},
        "found": {"sequence": evidence.found.sequence, "digest": evidence.found.digest.hex()},
        "rows": [{"octets": row.hex(), "entry": None if entry is None else _entry(entry)} for row, entry in rows],
    }


def evidence_rows_table(evidence: KeptEvidence) -> Table:
    """The rows of one piece, a line each."""
    currency = evidence.currency

    def shown(minor: int) -> str:
        return str(minor) if currency is None else amount(minor, currency)

    return table(
        "Its rows",
        ("sequence", "time", "kind", "item", "amount", "balance", "digest"),
        (
            ("?", "-", "not a journal row", "-", "-", "-", row[-16:].hex())
            if entry is None
            else (
                entry.sequence,
                entry.time,
                entry.kind.name.lower(),
                entry.fee_item or "-",
                shown(entry.amount),
                shown(entry.balance),
                entry.digest.hex(),
            )
            for row, entry in zip(evidence.rows, evidence.entries(), strict=True)
        ),
    )


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "sequence": entry.sequence,
        "time": str(entry.time),
        "kind": entry.kind.name.lower(),
        "fee_item": entry.fee_item,
        "amount": entry.amount,
        "balance": entry.balance,
        "digest": entry.digest.hex(),
    }


def _instant(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat()


def age(seconds: float) -> str:
    """`3 d 4 h`, `5 min`, `12 s`: how long, in its two largest units."""
    whole = int(seconds)
    days, hours, minutes = whole // 86_400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{whole} s"
