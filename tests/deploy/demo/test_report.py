"""The demo's tables add up what the journal says."""

import io

from rich.console import Console

from deploy.configuration import load
from deploy.demo.report import books_table, late_table, notices_table, year_table
from deploy.household import Household
from tests.deploy.demo.test_ledgers import GATEWAY, HEADEND, METER
from tests.support.sources import ROOT

HOUSEHOLD = load(ROOT / "deploy" / "examples" / "household.toml", Household)


def shown(made: object) -> str:
    out = io.StringIO()
    Console(file=out, width=200).print(made)
    return out.getvalue()


def row(kind: str, time: str, amount: int, balance: int, *, due: str | None = None, item: int = 0) -> dict[str, object]:
    return {"kind": kind, "time": time, "amount": amount, "balance": balance, "due": due, "fee_item": item}


JOURNAL = [
    row("top_up", "2026-01-01T00:00:00+08:00", 1_000_000, 1_000_000),
    row("deduction", "2026-01-01T01:00:00+08:00", -350_000, 650_000, due="2026-01-01T00:10:00", item=1),
    row("deduction", "2026-02-03T01:00:00+08:00", -350_000, 300_000, due="2026-02-01T00:10:00", item=1),
]


def test_the_year_is_summed_by_month_and_item() -> None:
    lines = [line.split() for line in shown(year_table(JOURNAL, HOUSEHOLD)).splitlines()]
    totals = next(line for line in lines if line[:1] == ["total"])
    assert totals[2] == "7000.00"
    assert totals[-1] == "3000.00"
    assert sum("3500.00" in line for line in lines) == 2


def test_only_what_was_deducted_on_a_later_day_is_late() -> None:
    text = shown(late_table(JOURNAL, HOUSEHOLD))
    assert "2026-02-03" in text
    assert "2026-01-01" not in text


def test_notices_are_counted_by_kind() -> None:
    notices = [{"kind": "low_balance", "subject": f"low {n}"} for n in range(3)]
    text = shown(notices_table(notices))
    assert "low balance" in text
    assert "3" in text
    assert "low 2" in text


def test_the_books_stand_side_by_side() -> None:
    text = shown(books_table((METER, GATEWAY, HEADEND), HOUSEHOLD.currency))
    assert text.count("3.80") == 6
