"""From the facts of a notice to its text in one language: sandboxed Jinja2 templates, Babel for money and dates.

One file per notice and language under `templates/`: the first line is the subject, the rest the body. Money is exact:
it is printed from its integer, with all decimals of its currency, never through a float. How a text becomes a mail or a
short message is `delivery.message`'s. Imported by `statements`, `pictures` and `delivery`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal
from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from dlms_objects.values.civil import civil_of
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.money import Currency, Money
from headend.alarms import AlarmFacts, AlarmKind
from headend.notices import Facts, Language, NoticeKind

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A notice as people read it: one line, and a few."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Idiom:
    """Where one language's templates are, and how it writes dates."""

    folder: str
    locale: Locale
    date_time_pattern: str
    month_pattern: str


_IDIOMS: Mapping[Language, _Idiom] = MappingProxyType(
    {
        "en": _Idiom(folder="en", locale=Locale("en"), date_time_pattern="d MMMM y, HH:mm", month_pattern="MMMM y"),
        "zh-CN": _Idiom(
            folder="zh_CN",
            locale=Locale.parse("zh_CN"),
            date_time_pattern="y年M月d日 HH:mm",
            month_pattern="y年M月",
        ),
    }
)


def render(kind: NoticeKind, facts: Facts, *, language: Language, currency: Currency | None, zone: ZoneInfo) -> Text:
    """The text of a notice; `currency` None (no batch has told it yet) shows amounts as numbers of minor units."""
    words = _words(facts, language, currency, zone)
    words["fee"] = fee_name(facts.label, facts.fee_item, language=language)
    return _text(language, kind.value, words)


def render_alarm(kind: AlarmKind, facts: AlarmFacts, *, language: Language) -> Text:
    """The text of an alarm."""
    words = {"subject": facts.subject, "detail": " ".join(facts.detail.split()), "household": facts.household}
    return _text(language, kind.value, words)


def render_digest(texts: Sequence[Text], *, language: Language) -> Text:
    """Several notices as one: how many there are, then each with its subject and body."""
    return _text(language, "digest", {"texts": texts})


def render_short(text: Text, *, after: str | None, household: str, language: Language) -> str:
    """The short form of a notice, for an SMS: one line; `after` is the balance after an entry."""
    words = {"subject": text.subject, "after": after, "household": household}
    return _template(language, "sms")[0].render(words)


def render_mail(text: Text, pictures: Sequence[Mapping[str, str]], *, household: str, language: Language) -> str:
    """The HTML form of a notice; each picture has a `name`, by which the mail knows it, and a `title`."""
    source = (_TEMPLATES / _IDIOMS[language].folder / "mail.html").read_text(encoding="utf-8")
    words = {"subject": text.subject, "lines": text.body.split("\n"), "pictures": pictures, "household": household}
    return _environment(in_html=True).from_string(source).render(words)


def fee_name(label: str, number: int, *, language: Language) -> str:
    """What a fee item is called: its label, or its number when nobody has told a label."""
    return _template(language, "fee")[0].render({"label": " ".join(label.split()), "number": number})


def month_text(month: str, *, language: Language) -> str:
    """A month such as `2026-03` in that language."""
    idiom = _IDIOMS[language]
    return format_date(date.fromisoformat(f"{month}-01"), idiom.month_pattern, locale=idiom.locale)


def money_text(minor: int, *, language: Language, currency: Currency | None) -> str:
    """An amount of minor units as that language writes it, every decimal shown."""
    locale = _IDIOMS[language].locale
    if currency is None:
        return format_decimal(minor, locale=locale)
    digits = -currency.scale
    return format_currency(
        Decimal(Money(minor, currency).decimal_text()),
        currency.code,
        format="¤#,##0" + ("." + "0" * digits if digits else ""),
        locale=locale,
        currency_digits=False,
    )


def time_text(octets: str, *, language: Language, zone: ZoneInfo) -> str:
    """A COSEM date-time (24 hexadecimal digits) in that language: an instant in the zone, a civil time as it is."""
    stamp = CosemDateTime(bytes.fromhex(octets))
    instant = stamp.instant()
    shown = stamp.civil() if instant is None else civil_of(instant, zone)
    if shown is None:
        return "?"
    idiom = _IDIOMS[language]
    return format_datetime(shown, idiom.date_time_pattern, locale=idiom.locale)


def _words(facts: Facts, language: Language, currency: Currency | None, zone: ZoneInfo) -> dict[str, object]:
    """What a template may say; an amount or a time that the facts do not have is None."""

    def money(minor: int | None) -> str | None:
        return None if minor is None else money_text(minor, language=language, currency=currency)

    def magnitude(minor: int | None) -> str | None:
        return None if minor is None else money(abs(minor))

    return {
        "number": facts.fee_item,
        "label": " ".join(facts.label.split()),
        "payee": " ".join(facts.payee.split()),
        "time": time_text(facts.time, language=language, zone=zone),
        "due": None if facts.due is None else time_text(facts.due, language=language, zone=zone),
        "amount": magnitude(facts.amount_minor),
        "given": (facts.amount_minor or 0) >= 0,
        "before": money(facts.before_minor),
        "after": money(facts.after_minor),
        "value": money(facts.value_minor),
        "revision": facts.revision,
        "month": None if facts.month is None else month_text(facts.month, language=language),
        "topped_up": money(facts.topped_up_minor),
        "deducted": money(facts.deducted_minor),
        "adjusted": money(facts.adjusted_minor) if facts.adjusted_minor else None,
        "totals": [
            {
                "fee": fee_name(total.label, total.fee_item, language=language),
                "payee": " ".join(total.payee.split()),
                "amount": money(total.amount_minor),
            }
            for total in facts.totals
        ],
    }


def _text(language: Language, name: str, words: Mapping[str, object]) -> Text:
    subject, body = _template(language, name)
    return Text(subject=subject.render(words), body=body.render(words).strip())


@cache
def _template(language: Language, name: str) -> tuple[Template, Template]:
    """Subject and body. They are compiled apart, so that nothing a label contains can break out of the subject."""
    source = (_TEMPLATES / _IDIOMS[language].folder / f"{name}.txt").read_text(encoding="utf-8")
    first, _newline, rest = source.partition("\n")
    environment = _environment()
    return environment.from_string(first), environment.from_string(rest)


@cache
def _environment(*, in_html: bool = False) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=in_html, trim_blocks=True, lstrip_blocks=True
    )
