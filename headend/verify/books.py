"""What the whole of the books must say, whatever the chains say: sums, strays, notices of events, evidence.

Whole minor units only. Imported by `whole`.
"""

from sqlalchemy import Connection, and_, exists, func, literal, literal_column, not_, or_, select

from headend.ledger import ADJUSTMENT, CLEARING
from headend.notices import OF_ENTRY, OF_EVENT_CODE, NoticeKind
from headend.schema import (
    PURSE_LINE,
    account,
    delivery_plan,
    entry,
    evidence,
    meter,
    meter_event,
    notice,
    posting,
)
from headend.schema_access import audit_record
from headend.verify.findings import Findings
from headend.whole_schema import metadata

_LOW = 0xFFFFFFFF


def check_books(connection: Connection, findings: Findings) -> None:
    """Look for rows that name nothing, sums that are wrong, and notices, events and evidence that cannot be."""
    check_references(connection, findings)
    _sums(connection, findings)
    _stray_accounts(connection, findings)
    _notices(connection, findings)
    _events(connection, findings)
    _evidence(connection, findings)
    _audit(connection, findings)


def check_references(connection: Connection, findings: Findings) -> None:
    """Find the rows that name rows of other tables which are not there; one finding for each pair of tables."""
    for table in metadata.sorted_tables:
        for key in table.foreign_key_constraints:
            parent = key.referred_table.alias("parent")
            pairs = [(each.parent, parent.c[each.column.name]) for each in key.elements]
            found = exists().where(and_(*(parent_column == column for column, parent_column in pairs)))
            named = and_(*(column.is_not(None) for column, _ in pairs))
            lost = select(func.count()).select_from(table).where(named, not_(found.correlate(table)))
            if count := connection.execute(lost).scalar_one():
                findings.add(
                    "reference",
                    f"{count} rows of {table.name} name rows of {key.referred_table.name} that are not there",
                )
    lines = select(func.count()).select_from(posting).where(posting.c.line.not_in((0, 1)))
    if count := connection.execute(lines).scalar_one():
        findings.add("posting", f"{count} postings stand on a line that is neither 0 nor 1")


def _sums(connection: Connection, findings: Findings) -> None:
    # High and low halves, for a sum of 64-bit amounts need not fit 64 bits.
    high = func.sum(posting.c.amount_minor.op(">>")(literal_column("32")))
    low = func.sum(posting.c.amount_minor.op("&")(literal(_LOW)))
    owners = (account.c.organisation_id, account.c.currency_code, account.c.currency_scale)
    rows = connection.execute(
        select(*owners, high, low).join(account, account.c.id == posting.c.account_id).group_by(*owners)
    )
    for organisation, code, scale, high_sum, low_sum in rows:
        if total := (int(high_sum) << 32) + int(low_sum):
            findings.add(
                "account", f"the accounts of organisation {organisation} in {code}:{scale} sum to {total}, not 0"
            )
    of_meter = (
        select(meter.c.system_title, meter.c.balance_minor, high, low)
        .join(posting, and_(posting.c.meter_id == meter.c.id, posting.c.line == PURSE_LINE))
        .group_by(meter.c.id, meter.c.system_title, meter.c.balance_minor)
    )
    for title, balance, high_sum, low_sum in connection.execution_options(yield_per=1000).execute(of_meter):
        if (total := (int(high_sum) << 32) + int(low_sum)) != balance:
            findings.add(
                "account", f"what is posted on its purse sums to {total}, its balance is {balance}", meter=title
            )


def _stray_accounts(connection: Connection, findings: Findings) -> None:
    purse = exists().where(
        meter.c.organisation_id == account.c.organisation_id, account.c.name == "purse:" + meter.c.system_title
    )
    strays = select(account.c.id, account.c.organisation_id).where(
        not_(or_(account.c.name.in_((CLEARING, ADJUSTMENT)), account.c.name.like("payable:_%"), purse))
    )
    for number, organisation in connection.execute(strays):
        findings.add("account", f"account {number} of organisation {organisation} is of no meter, payee or purpose")


def _notices(connection: Connection, findings: Findings) -> None:
    of_entry = or_(*(and_(notice.c.kind == told.value, entry.c.kind == int(kind)) for kind, told in OF_ENTRY.items()))
    made = exists().where(entry.c.meter_id == notice.c.meter_id, entry.c.sequence == notice.c.number, of_entry)
    codes = or_(
        *(and_(notice.c.kind == told.value, meter_event.c.code == code) for code, told in OF_EVENT_CODE.items())
    )
    heard = exists().where(meter_event.c.meter_id == notice.c.meter_id, meter_event.c.number == notice.c.number, codes)
    entry_kinds = [told.value for told in OF_ENTRY.values()]
    strays = (
        select(notice.c.id, notice.c.kind, notice.c.number, meter.c.system_title)
        .outerjoin(meter, meter.c.id == notice.c.meter_id)
        .where(
            or_(
                and_(notice.c.kind.in_(entry_kinds), not_(made)),
                and_(notice.c.kind.in_({told.value for told in OF_EVENT_CODE.values()}), not_(heard)),
                notice.c.kind.not_in([kind.value for kind in NoticeKind]),
            )
        )
    )
    for number, kind, about, title in connection.execute(strays):
        findings.add("notice", f"notice {number} tells of a {kind} {about} that is not in the books", meter=title or "")
    newest = connection.execute(select(func.coalesce(func.max(notice.c.id), 0))).scalar_one()
    planned = connection.execute(select(func.max(delivery_plan.c.notice_id))).scalar_one()
    if planned is not None and planned > newest:
        findings.add("notice", f"notices were planned up to {planned}, the newest is {newest}")


def _events(connection: Connection, findings: Findings) -> None:
    last = func.max(meter_event.c.number)
    rows = connection.execute(
        select(meter.c.system_title, meter.c.event_number, last)
        .join(meter_event, meter_event.c.meter_id == meter.c.id)
        .group_by(meter.c.id, meter.c.system_title, meter.c.event_number)
        .having(last > meter.c.event_number)
    )
    for title, number, highest in rows:
        findings.add("event", f"event {highest} is in the log, the meter's newest is said to be {number}", meter=title)
    told = or_(*(and_(meter_event.c.code == code, notice.c.kind == kind.value) for code, kind in OF_EVENT_CODE.items()))
    noticed = exists().where(notice.c.meter_id == meter_event.c.meter_id, notice.c.number == meter_event.c.number, told)
    untold = (
        select(meter.c.system_title, meter_event.c.number)
        .join(meter, meter.c.id == meter_event.c.meter_id)
        .where(meter_event.c.code.in_(list(OF_EVENT_CODE)), not_(noticed))
    )
    for title, number in connection.execute(untold):
        findings.add("event", f"event {number} has no notice", meter=title)


def _evidence(connection: Connection, findings: Findings) -> None:
    booked = (
        select(meter.c.system_title, evidence.c.sequence)
        .join(meter, meter.c.id == evidence.c.meter_id)
        .join(entry, and_(entry.c.meter_id == evidence.c.meter_id, entry.c.sequence == evidence.c.sequence))
        .where(entry.c.row == evidence.c.received_row)
    )
    for title, sequence in connection.execute(booked):
        findings.add("evidence", "the row that was turned away is booked", meter=title, sequence=sequence)


def _audit(connection: Connection, findings: Findings) -> None:
    if connection.dialect.name != "sqlite":
        return  # elsewhere a transaction that was undone leaves a gap too
    for table in (notice, evidence, audit_record):
        count, highest = connection.execute(
            select(func.count(), func.coalesce(func.max(table.c.id), 0)).select_from(table)
        ).one()
        if count != highest:
            findings.add("audit", f"the newest row of {table.name} is {highest}, but there are {count}")
