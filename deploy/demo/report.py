"""What the demo prints at its end: the year by month, the notices, the three books side by side."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from rich.table import Table

from deploy.demo.ledgers import Book
from deploy.household import Household
from deploy.purse_client import Plain
from deploy.tables import amount, table
from dlms_objects.values.money import Currency

MONTH = slice(0, 7)


def year_table(journal: Sequence[Plain], household: Household) -> Table:
    """What was deducted, by month of the due date and fee item, what was topped up, and each month's last balance."""
    currency = household.currency
    items = household.fee_item
    deducted: defaultdict[str, Counter[int]] = defaultdict(Counter)
    topped_up: Counter[str] = Counter()
    balance: dict[str, int] = {}
    for row in journal:
        month = (row["due"] or row["time"])[MONTH]
        if row["kind"] == "deduction":
            deducted[month][row["fee_item"]] -= row["amount"]
        else:
            topped_up[month] += row["amount"]
        balance[row["time"][MONTH]] = row["balance"]
    months = sorted({*deducted, *topped_up, *balance})
    made = Table(title="The year: deductions by month of their due date", title_justify="left", show_edge=False)
    for column in ("month", *(item.kind.replace("_", " ") for item in items), "topped up", "balance"):
        made.add_column(column, justify="left" if column == "month" else "right")
    for month in months:
        cells = [amount(deducted[month][item.number], currency) for item in items]
        end = amount(balance[month], currency) if month in balance else "-"
        made.add_row(month, *cells, amount(topped_up[month], currency), end)
    totals = [amount(sum(of[item.number] for of in deducted.values()), currency) for item in items]
    made.add_section()
    made.add_row("total", *totals, amount(topped_up.total(), currency), amount(journal[-1]["balance"], currency))
    return made


def late_table(journal: Iterable[Plain], household: Household) -> Table:
    """The deductions that were made a day or more after they fell due: those that waited for balance or for a bill."""
    labels = {item.number: item.label for item in household.fee_item}
    late = [row for row in journal if row["due"] is not None and row["due"][:10] < row["time"][:10]]
    return table(
        "Deducted later than due (the shortage, and bills that came late)",
        ("fee item", "due", "deducted", "amount"),
        (
            (labels[row["fee_item"]], row["due"][:10], row["time"][:16].replace("T", " "), _positive(row, household))
            for row in late
        ),
    )


def notices_table(notices: Sequence[Plain]) -> Table:
    """How many notices of each kind, and what the last of each said."""
    last = {notice["kind"]: notice["subject"] for notice in notices}
    count = Counter(notice["kind"] for notice in notices)
    return table(
        "Notices in the resident's mailbox",
        ("kind", "no", "the last one said"),
        ((kind.replace("_", " "), count[kind], last[kind]) for kind in last),
    )


def books_table(books: Iterable[Book], currency: Currency) -> Table:
    """The three books side by side."""
    return table(
        "The three books",
        ("book", "entries", "deductions", "total", "balance", "last digest"),
        (
            (
                book.name,
                book.entries,
                "-" if book.deductions is None else book.deductions,
                amount(book.total, currency),
                amount(book.balance, currency),
                book.digest,
            )
            for book in books
        ),
    )


def _positive(row: Plain, household: Household) -> str:
    return amount(-row["amount"], household.currency)
