"""The facts of stored notices: kept with the notice, or, of an entry's notice, read from the entry that made it.

An entry keeps the revision of its fee item's name that was known when it was booked, and names of a revision never
change, so its notice says the same for ever. Imported by `statements`, `delivery.message` and `influx.replay`.
"""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_

from dlms_objects.purse.entry import Entry
from headend.notices import MADE_FROM_ENTRY, Facts, facts_of, facts_of_entry
from headend.schema import entry, fee_item, notice

ENTRY_NOTICES: ColumnElement[bool] = and_(
    notice.c.facts == MADE_FROM_ENTRY, entry.c.meter_id == notice.c.meter_id, entry.c.sequence == notice.c.number
)
ITEM_AS_BOOKED: ColumnElement[bool] = and_(
    fee_item.c.meter_id == entry.c.meter_id,
    fee_item.c.number == entry.c.fee_item,
    fee_item.c.revision == entry.c.item_revision,
)
"""The name of an entry's fee item; none where none was known when it was booked."""
FACTS_COLUMNS = (notice.c.facts, entry.c.row.label("entry_row"), fee_item.c.label, fee_item.c.payee)
"""What `facts_from` wants of a row of `with_entries`."""


def with_entries(notices: FromClause) -> FromClause:
    """Notices (or whatever they are joined to), each with the entry that made it, where one did."""
    return notices.join(entry, ENTRY_NOTICES, isouter=True).join(fee_item, ITEM_AS_BOOKED, isouter=True)


def facts_from(row: Any) -> Facts:
    """The facts of a notice, from a row with FACTS_COLUMNS."""
    if row.facts != MADE_FROM_ENTRY:
        return facts_of(row.facts)
    return facts_of_entry(Entry.from_row(row.entry_row), label=row.label or "", payee=row.payee or "")
