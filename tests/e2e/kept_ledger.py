"""Whether a ledger holds so many journals, to the octet and each entry once, with postings and notices that agree."""

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, func, select

from dlms_objects.purse.entry import ROW_LENGTH
from headend.notices import MADE_FROM_ENTRY
from headend.schema import entry, evidence, meter, notice
from headend.statements import reconciliation
from headend.visibility import EVERY_METER


def differences(connection: Connection, journals: Mapping[str, bytes]) -> Iterator[str]:
    """What is wrong, in words; `journals` are rows of 98 octets by system title."""
    for title, octets in journals.items():
        held = connection.execute(
            select(entry.c.row)
            .join(meter, meter.c.id == entry.c.meter_id)
            .where(meter.c.system_title == title)
            .order_by(entry.c.sequence)
        ).scalars()
        found = b"".join(held)
        if found != octets:
            yield f"meter {title}: {len(found) // ROW_LENGTH} entries, sent were {len(octets) // ROW_LENGTH}"
        counted = reconciliation(connection, title, EVERY_METER)
        if counted is None or not counted.is_balanced:
            yield f"meter {title}: the books do not add up: {counted}"
    told = connection.execute(
        select(func.count()).select_from(notice).where(notice.c.facts == MADE_FROM_ENTRY)
    ).scalar_one()
    sent = sum(map(len, journals.values())) // ROW_LENGTH
    if told != sent:
        yield f"{told} notices of {sent} entries"
    if connection.execute(select(func.count()).select_from(evidence)).scalar_one():
        yield "rows were taken for a conflict"
