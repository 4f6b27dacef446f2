"""Every notice and every alarm in every language: the short form to the letter, the page as exact as the text."""

import re
from html import unescape
from typing import get_args

import pytest

from headend.alarms import AlarmKind
from headend.delivery.preview import preview
from headend.notices import Language, NoticeKind

HOME = "Building 3, flat 1204"
SHORT = {
    ("deduction", "en"): f"CN¥3,500.00 paid for Rent. Balance CN¥1,623.45. {HOME}",
    ("deduction", "zh-CN"): f"Rent已扣款¥3,500.00，余额¥1,623.45。{HOME}",
    ("top_up", "en"): f"Top-up of CN¥1,000.00 received. Balance CN¥1,623.45. {HOME}",
    ("top_up", "zh-CN"): f"充值¥1,000.00已到账，余额¥1,623.45。{HOME}",
    ("reversal", "en"): f"CN¥1,000.00 given back for Rent. Balance CN¥1,623.45. {HOME}",
    ("reversal", "zh-CN"): f"Rent已退回¥1,000.00，余额¥1,623.45。{HOME}",
    ("adjustment", "en"): f"Balance corrected: CN¥1,000.00 added. Balance CN¥1,623.45. {HOME}",
    ("adjustment", "zh-CN"): f"余额调整：增加¥1,000.00，余额¥1,623.45。{HOME}",
    ("low_balance", "en"): f"Low balance: CN¥49.99. {HOME}",
    ("low_balance", "zh-CN"): f"余额不足提醒：¥49.99。{HOME}",
    ("shortfall_ahead", "en"): f"Top up CN¥1,200.50 by 1 March 2026, 08:10. {HOME}",
    ("shortfall_ahead", "zh-CN"): f"请在2026年3月1日 08:10前充值¥1,200.50。{HOME}",
    ("insufficient", "en"): f"Rent could not be paid: CN¥1,200.50 missing. {HOME}",
    ("insufficient", "zh-CN"): f"Rent扣款未成功：还差¥1,200.50。{HOME}",
    ("settled", "en"): f"Rent is settled: CN¥1,200.50. {HOME}",
    ("settled", "zh-CN"): f"Rent已补缴¥1,200.50。{HOME}",
    ("waiting_amount", "en"): f"Rent waits for its amount. {HOME}",
    ("waiting_amount", "zh-CN"): f"Rent等待录入金额。{HOME}",
    ("parameters_changed", "en"): f"The terms of Rent have changed. {HOME}",
    ("parameters_changed", "zh-CN"): f"Rent的缴费设置已变更。{HOME}",
    ("statement", "en"): f"Statement for February 2026: CN¥3,780.00 deducted, CN¥1,623.45 left. {HOME}",
    ("statement", "zh-CN"): f"2026年2月账单：扣款¥3,780.00，余额¥1,623.45。{HOME}",
    ("chain_conflict", "en"): f"Alarm: the rows of meter 4D50520000000001 contradict the ledger. {HOME}",
    ("chain_conflict", "zh-CN"): f"告警：电表4D50520000000001的记录与账本不一致。{HOME}",
    ("unknown_meter", "en"): "Alarm: meter 4D50520000000001 is not registered. 4D50520000000001",
    ("unknown_meter", "zh-CN"): "告警：电表4D50520000000001尚未登记。4D50520000000001",
    ("gateway_silent", "en"): "Alarm: gateway gateway is silent. gateway",
    ("gateway_silent", "zh-CN"): "告警：网关gateway失去联系。gateway",
    ("meter_alarm", "en"): f"Alarm: meter 4D50520000000001 reports tamper. {HOME}",
    ("meter_alarm", "zh-CN"): f"告警：电表4D50520000000001上报tamper。{HOME}",
    ("delivery_dead", "en"): f"Alarm: a notice to resident-1204 could not be delivered. {HOME}",
    ("delivery_dead", "zh-CN"): f"告警：发给resident-1204的通知未能送达。{HOME}",
    ("test", "en"): "A test of MeterPurse for resident-1204. resident-1204",
    ("test", "zh-CN"): "MeterPurse测试通知：resident-1204。resident-1204",
}
BODIES = {
    ("chain_conflict", "en"): "Rows of meter 4D50520000000001 (Building 3, flat 1204) were turned away and kept as "
    "evidence: entry 7 is in the ledger with other content.\n"
    "Nothing of them was booked. The reconciliation of the meter shows both rows.",
    ("chain_conflict", "zh-CN"): "电表4D50520000000001（Building 3, flat 1204）的记录已被拒收并留作证据："
    "entry 7 is in the ledger with other content。\n这些记录均未入账。双方记录见该电表的对账页。",
    ("unknown_meter", "en"): "A gateway sends rows of meter 4D50520000000001, which nobody has registered. "
    "They are turned away until it is.",
    ("unknown_meter", "zh-CN"): "网关正在上传电表4D50520000000001的记录，但该电表尚未登记。登记之前，记录不予接收。",
    ("gateway_silent", "en"): "Gateway gateway last reported on 2026-03-01 00:10 UTC.",
    ("gateway_silent", "zh-CN"): "网关gateway最后一次上报时间：2026-03-01 00:10 UTC。",
    ("meter_alarm", "en"): "The event log of meter 4D50520000000001 (Building 3, flat 1204) has: tamper.",
    ("meter_alarm", "zh-CN"): "电表4D50520000000001（Building 3, flat 1204）的事件日志中有：tamper。",
    ("delivery_dead", "en"): "A notice for Building 3, flat 1204 to resident-1204 was given up "
    "(email: refused: 550 no such user).\nIt is still in the mailbox of the household.",
    ("delivery_dead", "zh-CN"): "关于Building 3, flat 1204、发给resident-1204的一则通知已放弃发送"
    "（email: refused: 550 no such user）。\n该通知仍在住户信箱中。",
    ("test", "en"): "Somebody asked for this test. If you can read it, notices to resident-1204 arrive "
    "by this channel.",
    ("test", "zh-CN"): "这是一则测试通知。如果您能看到它，说明发给resident-1204的通知可由此渠道送达。",
}
EACH = [(kind, language) for kind in (*NoticeKind, *AlarmKind) for language in get_args(Language)]


@pytest.mark.parametrize(("kind", "language"), EACH)
def test_the_short_form_reads_to_the_letter(kind: NoticeKind | AlarmKind, language: Language) -> None:
    assert preview(kind, language).short == SHORT[kind.value, language]


@pytest.mark.parametrize(("kind", "language"), [each for each in EACH if isinstance(each[0], AlarmKind)])
def test_an_alarm_reads_to_the_letter(kind: AlarmKind, language: Language) -> None:
    assert preview(kind, language).text.body == BODIES[kind.value, language]


@pytest.mark.parametrize(("kind", "language"), EACH)
def test_the_page_says_exactly_what_the_text_says(kind: NoticeKind | AlarmKind, language: Language) -> None:
    message = preview(kind, language)
    body = message.html.partition("<body")[2].partition(">")[2]
    lines = [unescape(line).strip() for line in re.sub(r"<[^>]*>", "", body).splitlines()]
    shown = [line for line in lines if line]
    assert shown[:-1] == [message.text.subject, *message.text.body.split("\n")]
    assert f'<html lang="{language}">' in message.html
    assert "None" not in message.html


def test_every_text_was_written_by_hand() -> None:
    assert set(SHORT) == {(kind.value, language) for kind, language in EACH}
