"""Batches and events as the JSON a gateway sends."""

import base64
from typing import Any

from headend.events import MeterEvent
from headend.ingest import Batch


def batch_json(batch: Batch) -> dict[str, Any]:
    """One batch of journal rows."""
    return {
        "system_title": str(batch.title),
        "first": batch.first,
        "rows": base64.b64encode(batch.rows).decode(),
        "items": [
            {
                "number": item.number,
                "revision": item.revision,
                "kind": item.kind,
                "label": item.label,
                "payee": item.payee,
            }
            for item in batch.items
        ],
        "currency": {"code": batch.currency.code, "scale": batch.currency.scale},
    }


def records_json(*batches: Batch) -> dict[str, Any]:
    """The body of POST records."""
    return {"batches": [batch_json(batch) for batch in batches]}


def event_json(event: MeterEvent) -> dict[str, Any]:
    """One event row."""
    return {
        "number": event.number,
        "time": event.time.octets.hex(),
        "code": event.code,
        "fee_item": event.fee_item,
        "value": event.value,
        "due": None if event.due is None else event.due.octets.hex(),
    }
