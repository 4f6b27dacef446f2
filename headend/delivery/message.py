"""From claimed deliveries to a message in all its forms: plain text, HTML with pictures, short text, JSON.

Imported by `dispatcher`, `preview` and, for the type, by the channels.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from dlms_objects.values.civil import time_zone
from headend import pictures, rendering
from headend.alarms import AlarmFacts, AlarmKind
from headend.alarms import facts_of as alarm_facts_of
from headend.delivery.config import RecipientConfig
from headend.delivery.log import Claim
from headend.notices import Facts, Language, NoticeKind
from headend.rendering import Text
from headend.schema import alarm, delivery, notice
from headend.series import month_series
from headend.statements import Purse, purse_numbered
from headend.told import FACTS_COLUMNS, facts_from, with_entries

OPERATORS_LANGUAGE: Language = "en"
"""Of an alarm to a recipient that has chosen no language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture that belongs to a mail: `name` is how its text refers to it."""

    name: str
    title: str
    svg: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a channel sends. `key` is the same whenever the same deliveries are sent, and of no other message.

    `body` is plain text and `html` the same as a page, `short` one line; `items` is the JSON of each notice.
    """

    key: str
    recipient: RecipientConfig
    language: Language
    text: Text
    short: str
    html: str
    items: tuple[dict[str, object], ...]
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One notice or alarm of a message."""

    text: Text
    short: str
    household: str
    item: dict[str, object]
    pictures: tuple[Picture, ...] = ()


def compose(connection: Connection, claim: Claim, recipient: RecipientConfig) -> Message:
    """The message of a claim, in the recipient's language or else the household's."""
    rows = connection.execute(
        select(
            delivery.c.notice_id,
            notice.c.meter_id,
            notice.c.kind,
            notice.c.number,
            *FACTS_COLUMNS,
            alarm.c.kind.label("alarm_kind"),
            alarm.c.number.label("alarm_number"),
            alarm.c.facts.label("alarm_facts"),
        )
        .select_from(
            with_entries(
                delivery.join(notice, notice.c.id == delivery.c.notice_id, isouter=True).join(
                    alarm, alarm.c.id == delivery.c.alarm_id, isouter=True
                )
            )
        )
        .where(delivery.c.id.in_(claim.ids))
        .order_by(delivery.c.id)
    ).all()
    language = recipient.language or _language_of(connection, rows)
    parts = [_part(connection, row, language) for row in rows]
    return _message(parts, claim, recipient, language)


def compose_notice(  # noqa: PLR0913 - a notice and for whom
    kind: NoticeKind, number: int, facts: Facts, *, purse: Purse, language: Language, recipient: RecipientConfig
) -> Message:
    """The message of one notice that is in no database: a preview."""
    return _message([_notice_part(kind, number, facts, purse, language)], _UNCLAIMED, recipient, language)


def compose_alarm(
    kind: AlarmKind, number: int, facts: AlarmFacts, *, language: Language, recipient: RecipientConfig
) -> Message:
    """The message of one alarm that is in no database: a preview, or a test from the command line."""
    return _message([_alarm_part(kind, number, facts, language)], _UNCLAIMED, recipient, language)


_UNCLAIMED = Claim(ids=(), recipient="", channel="", is_digest=False, attempts=0)


def _message(parts: Sequence[_Part], claim: Claim, recipient: RecipientConfig, language: Language) -> Message:
    texts = [part.text for part in parts]
    text = rendering.render_digest(texts, language=language) if claim.is_digest else texts[0]
    short = parts[0].short
    if len(parts) > 1:
        short = rendering.render_short(text, after=None, household=parts[-1].household, language=language)
    shown = parts[-1].pictures
    named = [{"name": picture.name, "title": picture.title} for picture in shown]
    identity = [recipient.name, claim.channel, *(f"{part.item['subject_key']}" for part in parts)]
    return Message(
        key=hashlib.sha256("\n".join(identity).encode()).hexdigest()[:32],
        recipient=recipient,
        language=language,
        text=text,
        short=short,
        html=rendering.render_mail(text, named, household=parts[-1].household, language=language),
        items=tuple({name: told for name, told in part.item.items() if name != "subject_key"} for part in parts),
        pictures=shown,
    )


def _language_of(connection: Connection, rows: Sequence[Any]) -> Language:
    meters = [row.meter_id for row in rows if row.meter_id is not None]
    return purse_numbered(connection, meters[0]).language if meters else OPERATORS_LANGUAGE


def _part(connection: Connection, row: Any, language: Language) -> _Part:
    if row.notice_id is None:
        return _alarm_part(AlarmKind(row.alarm_kind), row.alarm_number, alarm_facts_of(row.alarm_facts), language)
    purse, facts = purse_numbered(connection, row.meter_id), facts_from(row)
    part = _notice_part(NoticeKind(row.kind), row.number, facts, purse, language)
    if facts.month is None:
        return part
    series = month_series(connection, purse, facts.month)
    drawn = (
        Picture(
            name="balance",
            title=pictures.balance_title(series, language=language),
            svg=pictures.balance_svg(series, language=language, currency=purse.currency),
        ),
        Picture(
            name="shares",
            title=pictures.shares_title(series, language=language),
            svg=pictures.shares_svg(series, language=language, currency=purse.currency),
        ),
    )
    return _Part(text=part.text, short=part.short, household=part.household, item=part.item, pictures=drawn)


def _notice_part(kind: NoticeKind, number: int, facts: Facts, purse: Purse, language: Language) -> _Part:
    currency = purse.currency
    text = rendering.render(kind, facts, language=language, currency=currency, zone=time_zone(purse.time_zone))
    after = None
    if facts.after_minor is not None and kind is not NoticeKind.STATEMENT:
        after = rendering.money_text(facts.after_minor, language=language, currency=currency)
    short = rendering.render_short(text, after=after, household=purse.household, language=language)
    item: dict[str, object] = {
        "subject_key": f"{purse.system_title} {kind.value} {number}",
        "kind": kind.value,
        "system_title": purse.system_title,
        "household": purse.household,
        "number": number,
        "currency": None if currency is None else {"code": currency.code, "scale": currency.scale},
        "facts": msgspec.to_builtins(facts),
        "subject": text.subject,
        "body": text.body,
    }
    return _Part(text=text, short=short, household=purse.household, item=item)


def _alarm_part(kind: AlarmKind, number: int, facts: AlarmFacts, language: Language) -> _Part:
    text = rendering.render_alarm(kind, facts, language=language)
    item: dict[str, object] = {
        "subject_key": f"{facts.subject} {kind.value} {number}",
        "kind": kind.value,
        "number": number,
        "facts": msgspec.to_builtins(facts),
        "subject": text.subject,
        "body": text.body,
    }
    short = rendering.render_short(text, after=None, household=facts.household or facts.subject, language=language)
    return _Part(text=text, short=short, household=facts.household or facts.subject, item=item)
