"""By which path the rows of a journal came here, and when: noted once for each run of rows that was new.

Rows that came before this was noted have no path. Imported by `courier`, `spending` and `api`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import Connection, func, insert, select

from headend.column_types import naive
from headend.ingest import Answer
from headend.schema import meter
from headend.schema_settlement import delivery_path


class Path(StrEnum):
    """How rows get from a meter to the head-end."""

    GATEWAY = "gateway"
    """A gateway uploaded them."""
    COURIER = "courier"
    """Somebody carried them here in a sealed batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Entries `first_sequence` to `last_sequence` came by `path` at `at`."""

    first_sequence: int
    last_sequence: int
    path: Path
    at: datetime


def came(connection: Connection, answers: Sequence[Answer], path: Path, *, now: datetime) -> None:
    """Note what was new in the batches that were answered; in the transaction that booked them."""
    fresh = [answer for answer in answers if answer.new_rows]
    if not fresh:
        return
    titles = {str(answer.title) for answer in fresh}
    numbers = {
        row.system_title: row.id
        for row in connection.execute(select(meter.c.id, meter.c.system_title).where(meter.c.system_title.in_(titles)))
    }
    noted = [
        {
            "meter_id": numbers[str(answer.title)],
            "first_sequence": answer.sequence - answer.new_rows + 1,
            "last_sequence": answer.sequence,
            "path": path.value,
            "at": naive(now),
        }
        for answer in fresh
    ]
    connection.execute(insert(delivery_path), noted)


def deliveries(connection: Connection, meter_id: int, *, first: int, last: int) -> list[Delivery]:
    """The deliveries of a meter that brought any of the entries `first` to `last`, in order."""
    of_meter = delivery_path.c.meter_id == meter_id
    begin = (
        select(func.max(delivery_path.c.first_sequence))
        .where(of_meter, delivery_path.c.first_sequence <= first)
        .scalar_subquery()
    )
    rows = connection.execute(
        select(delivery_path)
        .where(
            of_meter,
            delivery_path.c.first_sequence >= func.coalesce(begin, first),
            delivery_path.c.first_sequence <= last,
            delivery_path.c.last_sequence >= first,
        )
        .order_by(delivery_path.c.first_sequence)
    )
    return [
        Delivery(
            first_sequence=row.first_sequence,
            last_sequence=row.last_sequence,
            path=Path(row.path),
            at=row.at.replace(tzinfo=UTC),
        )
        for row in rows
    ]
