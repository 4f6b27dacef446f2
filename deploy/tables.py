"""How the operator commands show a meter's answers to people: tables with exact amounts. JSON is the other way."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from dlms_objects.purse.outcome import EventCode
from dlms_objects.purse.prompt import FLAG_BITS, StatusFlag
from dlms_objects.values.money import Currency, Money

Plain = Mapping[str, Any]

WIDTH_OF_A_FILE = 200
"""Columns that a table may take where nobody looks at it on a terminal."""

EVENT_NAMES = {code.value: code.name.lower() for code in EventCode}


def amount(minor: int, currency: Currency) -> str:
    """An amount with all its decimals, without the currency."""
    return Money(minor, currency).decimal_text()


def moment(text: str | None) -> str:
    """A date-time as people read it."""
    return "-" if text is None else text.replace("T", " ")


def flag_names(bits: str) -> list[str]:
    """The names of the status flags that are set."""
    mask = int(bits[:FLAG_BITS][::-1], 2)
    return [flag.name.lower() for flag in StatusFlag if flag & mask and flag.name is not None]


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A plain table; columns named `amount`, `balance` or `total` are set flush right."""
    made = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in _RIGHT else "left", overflow="fold")
    for row in rows:
        made.add_row(*(str(cell) for cell in row))
    return made


_RIGHT = {"no", "amount", "balance", "total", "sequence", "missed", "value"}


def purse_table(purse: Plain, currency: Currency) -> Table:
    """The purse: balance, status, settings, journal."""
    status, settings = purse["status"], purse["settings"]
    rows = [
        ("balance", f"{amount(purse['balance'], currency)} {currency.code}"),
        ("status", ", ".join(flag_names(status["flags"])) or "all well"),
        ("shortfall", amount(status["shortfall"], currency)),
        ("next due", f"{moment(status['next_due'])}  {amount(status['next_amount'], currency)}"),
        ("journal head", f"{purse['journal_head']['sequence']}  {purse['journal_head']['digest']}"),
        ("acknowledged", f"{purse['acknowledged']['sequence']}"),
    ]
    amounts = ("low_balance_threshold", "overdraft_limit", "maximum_balance", "maximum_top_up")
    rows += [
        (name.replace("_", " "), amount(value, currency) if name in amounts else str(value))
        for name, value in settings.items()
    ]
    return table("Purse", ("what", "is"), rows)


def fees_table(items: Iterable[Plain], currency: Currency) -> Table:
    """The fee items, a line each."""
    columns = ("no", "label", "payee", "source", "every", "state", "next due", "amount", "missed", "total")
    return table(
        "Fee items",
        columns,
        (
            (
                item["number"],
                item["parameters"]["label"],
                item["parameters"]["payee"],
                item["parameters"]["amount_source"],
                item["parameters"]["schedule"]["frequency"],
                item["status"]["state"],
                moment(item["status"]["next_due"]),
                amount(item["status"]["next_amount"], currency),
                item["status"]["missed"],
                amount(item["status"]["total_deducted"], currency),
            )
            for item in items
        ),
    )


def journal_table(rows: Iterable[Plain], currency: Currency) -> Table:
    """Journal rows, a line each."""
    columns = ("sequence", "time", "kind", "item", "due", "amount", "balance")
    return table(
        "Journal",
        columns,
        (
            (
                row["sequence"],
                moment(row["time"]),
                row["kind"],
                row["fee_item"] or "-",
                moment(row["due"]),
                amount(row["amount"], currency),
                amount(row["balance"], currency),
            )
            for row in rows
        ),
    )


def events_table(rows: Iterable[Plain]) -> Table:
    """Event log rows, a line each."""
    columns = ("no", "time", "event", "item", "value", "due")
    return table(
        "Events",
        columns,
        (
            (
                row["number"],
                moment(row["time"]),
                EVENT_NAMES.get(row["code"], row["code"]),
                row["fee_item"] or "-",
                row["value"],
                moment(row["due"]),
            )
            for row in rows
        ),
    )


def objects_table(objects: Iterable[Plain], names: Callable[[Plain], tuple[str, str]]) -> Table:
    """The object list: class, logical name, what it is, and rights; `rw` for attributes that may be written.

    `names` gives the name of an entry's class, and what its logical name stands for.
    """
    return table(
        "Objects",
        ("class", "name", "logical name", "description", "attributes", "methods"),
        (
            (
                entry["class_id"],
                names(entry)[0],
                entry["logical_name"],
                names(entry)[1] or "-",
                _rights(entry["access_rights"]["attribute_access"], "attribute_id", ("", "r", "w", "rw")),
                _rights(entry["access_rights"]["method_access"], "method_id", ("", "x")),
            )
            for entry in objects
        ),
    )


def show(*tables: Table) -> None:
    """Print tables to stdout, as wide as they need when it is not a terminal."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_OF_A_FILE)
    for item in tables:
        console.print(item)


def _rights(entries: Iterable[Plain], key: str, modes: Sequence[str]) -> str:
    granted = ((entry[key], modes[entry["access_mode"]]) for entry in entries)
    return " ".join(f"{number}{mode}" for number, mode in granted if mode)
