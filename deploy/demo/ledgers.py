"""Comparing the three books: the meter's journal, what the gateway carried, the head-end's ledger. Integers only."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlms_objects.values.system_title import SystemTitle
from gateway import intake

DEDUCTION = "deduction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """One book of a purse, amounts in minor units: `total` is the sum of its entries, `balance` what it says is left.

    `deductions` is None where a book does not keep them apart.
    """

    name: str
    entries: int
    deductions: int | None
    total: int
    balance: int
    digest: str


def meter_book(journal: list[dict[str, Any]], balance: int) -> Book:
    """The meter's journal, and the balance its purse shows."""
    return Book(
        name="meter",
        entries=len(journal),
        deductions=sum(row["kind"] == DEDUCTION for row in journal),
        total=sum(row["amount"] for row in journal),
        balance=balance,
        digest=journal[-1]["digest"] if journal else "",
    )


def gateway_book(outbox: Path, title: SystemTitle) -> Book:
    """What the gateway has collected and verified, from its outbox file."""
    connection = sqlite3.connect(f"file:{outbox}?mode=ro", uri=True)
    try:
        standing = intake.standing(connection, title)
    finally:
        connection.close()
    return Book(
        name="gateway",
        entries=standing.head.sequence,
        deductions=None,
        total=standing.balance,
        balance=standing.balance,
        digest=standing.head.digest.hex(),
    )


def headend_book(reconciliation: dict[str, Any]) -> Book:
    """The ledger, counted afresh; its postings must agree with its entries."""
    return Book(
        name="head-end",
        entries=reconciliation["count"],
        deductions=reconciliation["entries"][DEDUCTION],
        total=reconciliation["sum"]["minor"],
        balance=reconciliation["ledger_sum"]["minor"],
        digest=reconciliation["digest"],
    )


def disagreements(meter: Book, gateway: Book, headend: Book, reconciliation: dict[str, Any]) -> list[str]:
    """Everything that does not agree, in words; empty when the three books are one."""
    found = [
        f"{what}: the meter has {getattr(meter, what)}, the {other.name} {getattr(other, what)}"
        for other in (gateway, headend)
        for what in ("entries", "deductions", "total", "balance", "digest")
        if getattr(other, what) not in (None, getattr(meter, what))
    ]
    if meter.total != meter.balance:
        found.append(f"the meter's entries sum up to {meter.total}, its balance is {meter.balance}")
    if not reconciliation["balanced"] or reconciliation["conflicts"]:
        found.append("the head-end's postings do not balance, or rows were turned away")
    return found
