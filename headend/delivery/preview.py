"""Notices as they would read, with made-up facts: for whoever writes templates. Imported by the API and commands."""

from dataclasses import replace
from datetime import UTC, datetime

from dlms_objects.values.civil import time_zone
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.money import Currency
from headend.alarms import AlarmFacts, AlarmKind
from headend.delivery.config import RecipientConfig
from headend.delivery.message import Message, compose_alarm, compose_notice
from headend.notices import Facts, FeeTotal, Language, NoticeKind
from headend.statements import Purse

_ZONE = time_zone("Asia/Shanghai")
_TIME = CosemDateTime.from_instant(datetime(2026, 3, 1, 0, 10, tzinfo=UTC), _ZONE).octets.hex()
_PURSE = Purse(
    meter_id=0,
    system_title="4D50520000000001",
    household="Building 3, flat 1204",
    language="en",
    time_zone=_ZONE.key,
    currency=Currency("CNY", -2),
    balance=162_345,
    sequence=12,
    digest=bytes(16),
    conflicts=0,
)
_FEE = Facts(time=_TIME, fee_item=1, label="Rent", payee="landlord-chen")
_ADDED = Facts(time=_TIME, amount_minor=100_000, before_minor=62_345, after_minor=162_345)
_SHORT = replace(_FEE, due=_TIME, value_minor=120_050)
_FACTS: dict[NoticeKind, Facts] = {
    NoticeKind.DEDUCTION: replace(_FEE, due=_TIME, amount_minor=-350_000, before_minor=512_345, after_minor=162_345),
    NoticeKind.TOP_UP: _ADDED,
    NoticeKind.REVERSAL: replace(_ADDED, fee_item=1, label="Rent", payee="landlord-chen"),
    NoticeKind.ADJUSTMENT: _ADDED,
    NoticeKind.LOW_BALANCE: Facts(time=_TIME, value_minor=4_999),
    NoticeKind.SHORTFALL_AHEAD: _SHORT,
    NoticeKind.INSUFFICIENT: _SHORT,
    NoticeKind.SETTLED: _SHORT,
    NoticeKind.WAITING_AMOUNT: replace(_FEE, due=_TIME),
    NoticeKind.PARAMETERS_CHANGED: replace(_FEE, revision=2),
    NoticeKind.STATEMENT: Facts(
        time=_TIME,
        month="2026-02",
        before_minor=540_345,
        topped_up_minor=0,
        deducted_minor=378_000,
        adjusted_minor=0,
        after_minor=162_345,
        totals=(
            FeeTotal(fee_item=1, label="Rent", payee="landlord-chen", amount_minor=350_000),
            FeeTotal(fee_item=2, label="Property management", payee="sunrise-property", amount_minor=28_000),
        ),
    ),
}
_ALARMS: dict[AlarmKind, AlarmFacts] = {
    AlarmKind.CHAIN_CONFLICT: AlarmFacts(
        subject=_PURSE.system_title, detail="entry 7 is in the ledger with other content", household=_PURSE.household
    ),
    AlarmKind.UNKNOWN_METER: AlarmFacts(subject=_PURSE.system_title),
    AlarmKind.GATEWAY_SILENT: AlarmFacts(subject="gateway", detail="2026-03-01 00:10 UTC"),
    AlarmKind.METER_ALARM: AlarmFacts(subject=_PURSE.system_title, detail="tamper", household=_PURSE.household),
    AlarmKind.DELIVERY_DEAD: AlarmFacts(
        subject="resident-1204", detail="email: refused: 550 no such user", household=_PURSE.household
    ),
    AlarmKind.TEST: AlarmFacts(subject="resident-1204"),
}
_NOBODY = RecipientConfig(name="preview", email="nobody@example.org")


def preview(kind: NoticeKind | AlarmKind, language: Language, *, recipient: RecipientConfig = _NOBODY) -> Message:
    """A notice or an alarm of that kind in that language, with the same facts every time."""
    if isinstance(kind, AlarmKind):
        return compose_alarm(kind, 1, _ALARMS[kind], language=language, recipient=recipient)
    facts = _FACTS[kind]
    return compose_notice(kind, 1, facts, purse=_PURSE, language=language, recipient=recipient)
