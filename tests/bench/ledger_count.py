"""Whether a ledger is the journals that were sent: counted and summed by its own database."""

from collections.abc import Iterator

from sqlalchemy import func, select

from headend.database import transaction
from headend.engines import Purpose
from headend.place import Place
from headend.schema import PURSE_LINE, entry, meter, posting
from tests.bench.journal_stream import JournalStream


def count_ledger(place: Place, stream: JournalStream) -> list[str]:
    """What is wrong with the ledger; nothing when every journal is in it once."""
    return list(_differences(place, stream))


def _differences(place: Place, stream: JournalStream) -> Iterator[str]:
    sent = {str(each.title): (each.sequence, each.balance, each.digest) for each in stream.journals}
    rows = sum(each.sequence for each in stream.journals)
    money = sum(each.balance for each in stream.journals)
    with transaction(place, Purpose.READ) as connection:
        heads = connection.execute(
            select(meter.c.system_title, meter.c.sequence, meter.c.balance_minor, meter.c.digest)
        ).all()
        entries, amounts = connection.execute(select(func.count(), func.sum(entry.c.amount_minor))).one()
        lines = connection.execute(
            select(posting.c.line, func.count(), func.sum(posting.c.amount_minor)).group_by(posting.c.line)
        ).all()
    if {title: (sequence, balance, bytes(digest)) for title, sequence, balance, digest in heads} != sent:
        yield "the heads are not those of the journals"
    if (entries, int(amounts)) != (rows, money):
        yield f"{entries} entries of {amounts}, sent were {rows} of {money}"
    for line, count, total in lines:
        if (count, int(total)) != (rows, money if line == PURSE_LINE else -money):
            yield f"postings {line}: {count} of {total}"
