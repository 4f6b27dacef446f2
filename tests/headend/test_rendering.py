"""Laws of the texts: every kind in every language to the letter, and money exact."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.exceptions import SecurityError, UndefinedError

from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.money import MAXIMUM_MINOR, MINIMUM_MINOR, Currency, Money
from headend import rendering
from headend.alarms import AlarmKind
from headend.notices import Facts, FeeTotal, Language, NoticeKind
from headend.rendering import money_text, render, time_text
from tests.support.headend_books import CNY, SHANGHAI

TIME = CosemDateTime.from_instant(datetime(2026, 12, 1, 8, 0, 30, tzinfo=SHANGHAI), SHANGHAI).octets.hex()
DUE = CosemDateTime.from_civil(datetime(2026, 12, 1, 8, 0)).octets.hex()  # noqa: DTZ001 - civil
FEE = {"time": TIME, "fee_item": 1, "label": "Rent", "payee": "landlord"}
PAID = Facts(**FEE, due=DUE, amount_minor=-350_000, before_minor=512_345, after_minor=162_345)
ADDED = Facts(time=TIME, amount_minor=100_050, before_minor=-50, after_minor=100_000)
TAKEN = Facts(time=TIME, amount_minor=-100_050, before_minor=100_000, after_minor=-50)
BACK = Facts(**FEE, amount_minor=350_000, before_minor=162_345, after_minor=512_345)
EVENT = Facts(**FEE, due=DUE, value_minor=120_050)
MONTH = Facts(
    time=TIME,
    month="2026-11",
    before_minor=100_000,
    topped_up_minor=500_000,
    deducted_minor=378_001,
    adjusted_minor=-99,
    after_minor=221_900,
    totals=(
        FeeTotal(fee_item=1, label="Rent", payee="landlord", amount_minor=350_000),
        FeeTotal(fee_item=2, label="", payee="", amount_minor=28_001),
    ),
)
OF_PURSE = Facts(time=TIME, value_minor=4_999)

EXPECTED: list[tuple[NoticeKind, Facts, Language, str, str]] = [
    (
        NoticeKind.DEDUCTION,
        PAID,
        "en",
        "CN¥3,500.00 paid for Rent",
        "CN¥3,500.00 was taken from your purse for Rent, payable to landlord.\n"
        "Due 1 December 2026, 08:00; taken 1 December 2026, 08:00.\n"
        "Balance before CN¥5,123.45, after CN¥1,623.45.",
    ),
    (
        NoticeKind.DEDUCTION,
        PAID,
        "zh-CN",
        "Rent已扣款¥3,500.00",
        "已从您的余额中扣除¥3,500.00，用于缴纳Rent（收款方：landlord）。\n"
        "应缴时间：2026年12月1日 08:00；扣款时间：2026年12月1日 08:00。\n"
        "扣款前余额：¥5,123.45；扣款后余额：¥1,623.45。",
    ),
    (
        NoticeKind.DEDUCTION,
        Facts(time=TIME, fee_item=3, amount_minor=-1, before_minor=1, after_minor=0),
        "en",
        "CN¥0.01 paid for fee item 3",
        "CN¥0.01 was taken from your purse for fee item 3.\n"
        "Taken 1 December 2026, 08:00.\n"
        "Balance before CN¥0.01, after CN¥0.00.",
    ),
    (
        NoticeKind.DEDUCTION,
        Facts(time=TIME, fee_item=3, amount_minor=-1, before_minor=1, after_minor=0),
        "zh-CN",
        "缴费项目3已扣款¥0.01",
        "已从您的余额中扣除¥0.01，用于缴纳缴费项目3。\n"
        "扣款时间：2026年12月1日 08:00。\n"
        "扣款前余额：¥0.01；扣款后余额：¥0.00。",
    ),
    (
        NoticeKind.TOP_UP,
        ADDED,
        "en",
        "Top-up of CN¥1,000.50 received",
        "CN¥1,000.50 was added to your purse on 1 December 2026, 08:00.\nBalance before -CN¥0.50, after CN¥1,000.00.",
    ),
    (
        NoticeKind.TOP_UP,
        ADDED,
        "zh-CN",
        "充值¥1,000.50已到账",
        "已向您的余额充值¥1,000.50，到账时间：2026年12月1日 08:00。\n充值前余额：-¥0.50；充值后余额：¥1,000.00。",
    ),
    (
        NoticeKind.REVERSAL,
        BACK,
        "en",
        "CN¥3,500.00 given back for Rent",
        "A deduction for Rent, paid to landlord, was reversed on 1 December 2026, 08:00: "
        "CN¥3,500.00 was put back into your purse.\n"
        "Balance before CN¥1,623.45, after CN¥5,123.45.",
    ),
    (
        NoticeKind.REVERSAL,
        BACK,
        "zh-CN",
        "Rent已退回¥3,500.00",
        "Rent的一笔扣款（收款方：landlord）已冲正，¥3,500.00已退回您的余额，时间：2026年12月1日 08:00。\n"
        "冲正前余额：¥1,623.45；冲正后余额：¥5,123.45。",
    ),
    (
        NoticeKind.REVERSAL,
        TAKEN,
        "en",
        "Top-up of CN¥1,000.50 taken back",
        "A top-up was reversed on 1 December 2026, 08:00: CN¥1,000.50 was taken out of your purse.\n"
        "Balance before CN¥1,000.00, after -CN¥0.50.",
    ),
    (
        NoticeKind.REVERSAL,
        TAKEN,
        "zh-CN",
        "充值¥1,000.50已冲正",
        "一笔充值已冲正，已从您的余额中扣回¥1,000.50，时间：2026年12月1日 08:00。\n"
        "冲正前余额：¥1,000.00；冲正后余额：-¥0.50。",
    ),
    (
        NoticeKind.ADJUSTMENT,
        ADDED,
        "en",
        "Balance corrected: CN¥1,000.50 added",
        "A correction of 1 December 2026, 08:00 added CN¥1,000.50 to your purse.\n"
        "Balance before -CN¥0.50, after CN¥1,000.00.",
    ),
    (
        NoticeKind.ADJUSTMENT,
        TAKEN,
        "en",
        "Balance corrected: CN¥1,000.50 taken",
        "A correction of 1 December 2026, 08:00 took CN¥1,000.50 from your purse.\n"
        "Balance before CN¥1,000.00, after -CN¥0.50.",
    ),
    (
        NoticeKind.ADJUSTMENT,
        ADDED,
        "zh-CN",
        "余额调整：增加¥1,000.50",
        "管理方已将您的余额增加¥1,000.50，时间：2026年12月1日 08:00。\n调整前余额：-¥0.50；调整后余额：¥1,000.00。",
    ),
    (
        NoticeKind.ADJUSTMENT,
        TAKEN,
        "zh-CN",
        "余额调整：减少¥1,000.50",
        "管理方已将您的余额减少¥1,000.50，时间：2026年12月1日 08:00。\n调整前余额：¥1,000.00；调整后余额：-¥0.50。",
    ),
    (
        NoticeKind.LOW_BALANCE,
        OF_PURSE,
        "en",
        "Low balance: CN¥49.99",
        "On 1 December 2026, 08:00 the balance of your purse was CN¥49.99, below your warning level. Please top up.",
    ),
    (
        NoticeKind.LOW_BALANCE,
        OF_PURSE,
        "zh-CN",
        "余额不足提醒：¥49.99",
        "截至2026年12月1日 08:00，您的余额为¥49.99，已低于提醒额度，请及时充值。",
    ),
    (
        NoticeKind.SHORTFALL_AHEAD,
        EVENT,
        "en",
        "Top up CN¥1,200.50 by 1 December 2026, 08:00",
        "The balance of your purse does not cover the fees that fall due soon: CN¥1,200.50 is missing.\n"
        "The first fee that is not covered, Rent, falls due on 1 December 2026, 08:00.",
    ),
    (
        NoticeKind.SHORTFALL_AHEAD,
        OF_PURSE,
        "en",
        "Top up CN¥49.99",
        "The balance of your purse does not cover the fees that fall due soon: CN¥49.99 is missing.",
    ),
    (
        NoticeKind.SHORTFALL_AHEAD,
        EVENT,
        "zh-CN",
        "请在2026年12月1日 08:00前充值¥1,200.50",
        "您的余额不足以支付近期到期的费用，还差¥1,200.50。\n首笔无法支付的费用（Rent）到期时间：2026年12月1日 08:00。",
    ),
    (
        NoticeKind.SHORTFALL_AHEAD,
        OF_PURSE,
        "zh-CN",
        "请充值¥49.99",
        "您的余额不足以支付近期到期的费用，还差¥49.99。",
    ),
    (
        NoticeKind.INSUFFICIENT,
        EVENT,
        "en",
        "Rent could not be paid: CN¥1,200.50 missing",
        "On 1 December 2026, 08:00 the balance of your purse did not cover Rent, payable to landlord: "
        "CN¥1,200.50 is missing.\n"
        "It fell due on 1 December 2026, 08:00 and will be paid as soon as you have topped up.",
    ),
    (
        NoticeKind.INSUFFICIENT,
        EVENT,
        "zh-CN",
        "Rent扣款未成功：还差¥1,200.50",
        "2026年12月1日 08:00您的余额不足以缴纳Rent（收款方：landlord），还差¥1,200.50。\n"
        "该费用到期时间：2026年12月1日 08:00；充值后将立即扣款。",
    ),
    (
        NoticeKind.SETTLED,
        EVENT,
        "en",
        "Rent is settled: CN¥1,200.50",
        "On 1 December 2026, 08:00 CN¥1,200.50 was paid for Rent, payable to landlord, which had waited for your "
        "balance.\n"
        "It fell due on 1 December 2026, 08:00.",
    ),
    (
        NoticeKind.SETTLED,
        EVENT,
        "zh-CN",
        "Rent已补缴¥1,200.50",
        "此前因余额不足未能缴纳的Rent（收款方：landlord）已于2026年12月1日 08:00补扣¥1,200.50。\n"
        "该费用到期时间：2026年12月1日 08:00。",
    ),
    (
        NoticeKind.WAITING_AMOUNT,
        EVENT,
        "en",
        "Rent waits for its amount",
        "Rent fell due on 1 December 2026, 08:00, but its amount is not known yet.\n"
        "It will be paid as soon as the amount is given.",
    ),
    (
        NoticeKind.WAITING_AMOUNT,
        EVENT,
        "zh-CN",
        "Rent等待录入金额",
        "Rent已于2026年12月1日 08:00到期，但金额尚未录入。\n录入金额后将立即扣款。",
    ),
    (
        NoticeKind.PARAMETERS_CHANGED,
        Facts(**FEE, revision=3),
        "en",
        "The terms of Rent have changed",
        "On 1 December 2026, 08:00 the terms of Rent, payable to landlord, were changed in your meter (revision 3).\n"
        "What has been paid already stays as it is.",
    ),
    (
        NoticeKind.PARAMETERS_CHANGED,
        Facts(**FEE, revision=3),
        "zh-CN",
        "Rent的缴费设置已变更",
        "Rent（收款方：landlord）的缴费设置已于2026年12月1日 08:00在电表中变更（第3版）。\n已缴费用不受影响。",
    ),
    (
        NoticeKind.STATEMENT,
        MONTH,
        "en",
        "Statement for November 2026: CN¥3,780.01 deducted, CN¥2,219.00 left",
        "Balance at the beginning: CN¥1,000.00.\nTopped up: CN¥5,000.00.\nRent (landlord): CN¥3,500.00.\n"
        "fee item 2: CN¥280.01.\nDeducted in all: CN¥3,780.01.\nCorrections: -CN¥0.99.\n"
        "Balance at the end: CN¥2,219.00.",
    ),
    (
        NoticeKind.STATEMENT,
        MONTH,
        "zh-CN",
        "2026年11月账单：扣款¥3,780.01，余额¥2,219.00",
        "期初余额：¥1,000.00。\n充值合计：¥5,000.00。\nRent（landlord）：¥3,500.00。\n缴费项目2：¥280.01。\n"
        "扣款合计：¥3,780.01。\n调整合计：-¥0.99。\n期末余额：¥2,219.00。",
    ),
]


@pytest.mark.parametrize(("kind", "facts", "language", "subject", "body"), EXPECTED)
def test_a_notice_reads_to_the_letter(
    kind: NoticeKind, facts: Facts, language: Language, subject: str, body: str
) -> None:
    text = render(kind, facts, language=language, currency=CNY, zone=SHANGHAI)
    assert (text.subject, text.body) == (subject, body)


def test_every_kind_is_written_in_every_language() -> None:
    written = {(kind, language) for kind, _facts, language, _subject, _body in EXPECTED}
    assert written == {(kind, language) for kind in NoticeKind for language in ("en", "zh-CN")}


def test_no_template_lies_unused() -> None:
    folder = Path(rendering.__file__).parent / "templates"
    names = {kind.value for kind in (*NoticeKind, *AlarmKind)} | {"fee", "digest", "sms", "mail"}
    for language in ("en", "zh_CN"):
        assert {path.stem for path in (folder / language).iterdir()} == names


@pytest.mark.parametrize("kind", [NoticeKind.INSUFFICIENT, NoticeKind.SETTLED, NoticeKind.WAITING_AMOUNT])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_an_event_without_a_due_time_still_reads(kind: NoticeKind, language: Language) -> None:
    facts = Facts(time=TIME, fee_item=2, value_minor=1)
    text = render(kind, facts, language=language, currency=CNY, zone=SHANGHAI)
    assert "None" not in text.subject + text.body
    assert text.body


@given(
    minor=st.integers(MINIMUM_MINOR, MAXIMUM_MINOR),
    scale=st.integers(-9, 0),
    code=st.sampled_from(["CNY", "EUR", "JPY", "KWD", "XXX"]),
    language=st.sampled_from(["en", "zh-CN"]),
)
def test_money_is_printed_exactly(minor: int, scale: int, code: str, language: Language) -> None:
    currency = Currency(code, scale)
    shown = money_text(minor, language=language, currency=currency)
    digits = "".join(character for character in shown if character in "-0123456789.")
    assert digits == Money(minor, currency).decimal_text()


def test_without_a_currency_money_is_a_number_of_minor_units() -> None:
    assert money_text(-350_000, language="en", currency=None) == "-350,000"


def test_an_instant_is_told_in_the_zone_of_the_household_and_a_civil_time_as_it_is() -> None:
    kashgar = ZoneInfo("Asia/Urumqi")
    assert time_text(TIME, language="en", zone=kashgar) == "1 December 2026, 06:00"
    assert time_text(DUE, language="en", zone=kashgar) == "1 December 2026, 08:00"


def test_a_time_that_is_not_specified_is_a_question_mark() -> None:
    unknown = CosemDateTime.NOT_SPECIFIED.octets.hex()
    assert time_text(unknown, language="en", zone=SHANGHAI) == "?"


def test_a_label_is_never_a_template_and_never_a_second_line() -> None:
    facts = Facts(
        time=TIME, fee_item=1, label="{{ 7 * 7 }}\n\nBcc: x\t<b>", amount_minor=-1, before_minor=1, after_minor=0
    )
    text = render(NoticeKind.DEDUCTION, facts, language="en", currency=CNY, zone=SHANGHAI)
    assert text.subject == "CN¥0.01 paid for {{ 7 * 7 }} Bcc: x <b>"
    assert text.body.count("\n") == 2


def test_templates_run_in_a_sandbox_and_know_every_name() -> None:
    environment = rendering._environment()
    with pytest.raises(SecurityError):
        environment.from_string("{{ ''.__class__.__mro__ }}").render()
    with pytest.raises(UndefinedError):
        environment.from_string("{{ ammount }}").render(amount="1")
