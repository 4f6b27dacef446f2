"""What was turned away: rows that contradict the ledger, kept beside what it holds, and meters nobody registered.

Nothing here is ever booked; each is an alarm to the operator. Imported by `ingest` and `statements`.
"""

from sqlalchemy import Connection, func, insert, select, update

from headend.alarms import AlarmFacts, AlarmKind, raise_alarm
from headend.authentication import FIRST_ORGANISATION
from headend.books import Book
from headend.schema import entry, evidence, unknown_meter


class ConflictError(Exception):
    """A batch contradicts the ledger. `cause` is one word; `row` the first offending row, where there is one."""

    def __init__(self, cause: str, detail: str, *, sequence: int = 0, row: bytes | None = None) -> None:
        """`sequence` is the number of the offending row."""
        self.cause = cause
        self.sequence = sequence
        self.row = row
        super().__init__(detail)


def keep(connection: Connection, book: Book, conflict: ConflictError) -> None:
    """Keep the offending row once, with the ledger's row of that number (or its last row, if it has none yet)."""
    if conflict.row is None:
        return
    same = (
        evidence.c.meter_id == book.meter_id,
        evidence.c.sequence == conflict.sequence,
        evidence.c.received_row == conflict.row,
    )
    if connection.execute(select(func.count()).select_from(evidence).where(*same)).scalar_one():
        return
    held = connection.execute(
        select(entry.c.row).where(
            entry.c.meter_id == book.meter_id, entry.c.sequence == min(conflict.sequence, book.head.sequence)
        )
    ).scalar_one_or_none()
    kept = connection.execute(
        insert(evidence)
        .values(
            meter_id=book.meter_id,
            sequence=conflict.sequence,
            cause=conflict.cause,
            detail=str(conflict),
            held_row=held,
            received_row=conflict.row,
        )
        .returning(evidence.c.id)
    ).scalar_one()
    facts = AlarmFacts(subject=str(book.title), detail=str(conflict), household=book.household)
    raise_alarm(connection, AlarmKind.CHAIN_CONFLICT, kept, facts)


def count_unknown(connection: Connection, system_title: str, *, rows: int, owner: int | None) -> None:
    """Count a batch (of `rows` rows or events) of a meter that is not registered for `owner` (None: the first)."""
    organisation_id = FIRST_ORGANISATION if owner is None else owner
    same = (unknown_meter.c.system_title == system_title) & (unknown_meter.c.organisation_id == organisation_id)
    grown = {"batches": unknown_meter.c.batches + 1, "rows": unknown_meter.c.rows + rows}
    if connection.execute(update(unknown_meter).where(same).values(grown)).rowcount == 0:
        connection.execute(
            insert(unknown_meter).values(
                organisation_id=organisation_id, system_title=system_title, batches=1, rows=rows
            )
        )
        raise_alarm(connection, AlarmKind.UNKNOWN_METER, 1, AlarmFacts(subject=system_title))
