"""The dashboards about money: *Money*, of all households together, and *One meter*.

InfluxDB holds whole minor units; the queries divide by `minor_per_unit` for the eye. Sums never mix currencies: the
variable `currency` has one value. Imported by `generate`.
"""

from dataclasses import dataclass

from deploy.grafana.panels import (
    COUNT,
    GREEN,
    ORANGE,
    PURPLE,
    SECONDS,
    WATT_HOURS,
    Json,
    bars,
    dashboard,
    gauge_bars,
    pie,
    stat,
    steps,
    table,
    target,
    variable,
)
from headend.measurements import AGES

_SUM = 'sum("amount_minor")'
_BALANCE = 'last("balance_minor")'
_EACH_AMOUNT, _EACH_BALANCE = '"amount_minor"', '"balance_minor"'
_SUM_OF_LAST, _LAST_SHORTFALL = 'sum("last")', 'last("shortfall_minor")'
_ENTRIES = """"purse_entry" WHERE "currency" = '$currency' AND "meter" =~ /^$meter$/ AND $timeFilter"""
_CHOSEN = _ENTRIES + """ AND "item" =~ /^$item$/ AND "payee" =~ /^$payee$/"""
_EVENTS = """"meter_event" WHERE "meter" =~ /^$meter$/ AND $timeFilter"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How amounts are shown: the currency's sign and how many minor units make one."""

    sign: str = "¥"
    minor_per_unit: int = 100

    @property
    def unit(self) -> str:
        """Grafana's unit for an amount, never abbreviated."""
        return f"prefix:{self.sign} "

    @property
    def decimals(self) -> int:
        """The decimals of an amount."""
        return len(str(self.minor_per_unit)) - 1

    def amount(self, aggregate: str, *, negative: bool = False) -> str:
        """An aggregate of minor units as an amount; a deduction's is negative and is shown as what was taken."""
        return f"{aggregate} / {'-' if negative else ''}{self.minor_per_unit}"


def money(shown: Shown) -> Json:
    """What was deducted, for what and to whom; what came in; what is missing or will be."""
    return dashboard(
        "meterpurse-money",
        "Money",
        "Deductions, top-ups, balances and shortages of all households, as booked in the ledger.",
        variables=[_CURRENCY, _METERS, _ITEM, _PAYEE],
        panels=[*_totals(shown), *_flows(shown), *_accounts(shown), *_arrears(shown), *_shortages(shown)],
        since="now-90d",
    )


def one_meter(shown: Shown) -> Json:
    """One household's purse, to the last entry."""
    return dashboard(
        "meterpurse-one-meter",
        "One meter",
        "One household's purse: its balance, every entry, what it was told, what its metered fees came to.",
        variables=[_CURRENCY, _METER],
        panels=[*_purse(shown), *_entries(shown)],
        since="now-1y",
    )


def _purse(shown: Shown) -> list[Json]:
    deducted = shown.amount(_SUM, negative=True)
    return [
        stat(
            "Balance",
            "After the last entry in the time range.",
            f"SELECT {shown.amount(_BALANCE)} FROM {_ENTRIES}",
            unit=shown.unit,
            decimals=shown.decimals,
        ),
        stat(
            "Deducted",
            "In the time range, before reversals.",
            f"SELECT {deducted} FROM {_ENTRIES} AND \"kind\" = 'deduction'",
            unit=shown.unit,
            colour=ORANGE,
            decimals=shown.decimals,
        ),
        _topped_up(shown, _ENTRIES),
        stat(
            "Entries",
            "Rows of the purse journal in the time range.",
            f'SELECT count("sequence") FROM {_ENTRIES}',
            unit=COUNT,
        ),
        steps(
            "Balance",
            "The balance after each entry.",
            [target(f"SELECT {shown.amount(_EACH_BALANCE)} FROM {_ENTRIES}", alias="balance")],
            unit=shown.unit,
            width=24,
        ),
    ]


def _entries(shown: Shown) -> list[Json]:
    deducted = shown.amount(_SUM, negative=True)
    return [
        bars(
            "Charged by item",
            "Deductions of each fee item; of metered items this is the consumption, priced.",
            [
                target(
                    f"SELECT {deducted} FROM {_ENTRIES} AND \"kind\" = 'deduction' "
                    'GROUP BY time($__interval), "item" fill(none)',
                    alias="$tag_item",
                )
            ],
            unit=shown.unit,
            interval="1d",
        ),
        bars(
            "Energy",
            "What the active energy register grew by. It is read along with collections, every 15 minutes at most.",
            [
                target(
                    'SELECT non_negative_difference(last("value")) FROM "reading" WHERE "meter" =~ /^$meter$/ '
                    "AND \"register\" = '1.0.1.8.0.255' AND $timeFilter GROUP BY time($__interval) fill(none)",
                    alias="energy",
                )
            ],
            unit=WATT_HOURS,
            interval="1d",
        ),
        table(
            "Told to the household, and the meter's other events",
            "The meter's event log. The value is in minor units where the event is about money.",
            f'SELECT "code", "item_number", "value" FROM {_EVENTS}',
            units={},
            newest_first=True,
        ),
        table(
            "Every entry",
            "The purse journal as booked: what moved the balance, for what, to whom, and how late.",
            'SELECT "sequence", "kind", "item", "payee", '
            f'{shown.amount(_EACH_AMOUNT)} AS "amount", {shown.amount(_EACH_BALANCE)} AS "balance", '
            f'"late_s" AS "late" FROM {_ENTRIES}',
            units={"amount": shown.unit, "balance": shown.unit, "late": SECONDS},
            width=24,
            height=14,
            newest_first=True,
        ),
    ]


def _totals(shown: Shown) -> list[Json]:
    return [
        stat(
            "Deducted",
            "Taken from purses for fees in the time range, before reversals.",
            f"SELECT {shown.amount(_SUM, negative=True)} FROM {_CHOSEN} AND \"kind\" = 'deduction'",
            unit=shown.unit,
            colour=ORANGE,
            decimals=shown.decimals,
        ),
        _topped_up(shown, _ENTRIES),
        stat(
            "Reversed and adjusted",
            "Net of reversals and adjustments in the time range.",
            f"SELECT {shown.amount(_SUM)} FROM {_ENTRIES} AND (\"kind\" = 'reversal' OR \"kind\" = 'adjustment')",
            unit=shown.unit,
            colour=PURPLE,
            decimals=shown.decimals,
        ),
        stat(
            "In the purses",
            "The sum of all balances after their last entries in the time range.",
            f'SELECT {shown.amount(_SUM_OF_LAST)} FROM (SELECT last("balance_minor") FROM {_ENTRIES} GROUP BY "meter")',
            unit=shown.unit,
            decimals=shown.decimals,
        ),
    ]


def _flows(shown: Shown) -> list[Json]:
    deducted = shown.amount(_SUM, negative=True)
    return [
        bars(
            "Deductions by item",
            "What was taken, by fee item, on the day it was taken.",
            [
                target(
                    f"SELECT {deducted} FROM {_CHOSEN} AND \"kind\" = 'deduction' "
                    'GROUP BY time($__interval), "item" fill(none)',
                    alias="$tag_item",
                )
            ],
            unit=shown.unit,
            width=16,
            interval="1d",
        ),
        pie(
            "Share by item",
            "Deductions of the time range by fee item.",
            f'SELECT {deducted} FROM {_CHOSEN} AND "kind" = \'deduction\' GROUP BY "item"',
            unit=shown.unit,
            alias="$tag_item",
        ),
    ]


def _accounts(shown: Shown) -> list[Json]:
    deducted = shown.amount(_SUM, negative=True)
    return [
        bars(
            "Top-ups",
            "What residents paid in.",
            [
                target(
                    f"SELECT {shown.amount(_SUM)} FROM {_ENTRIES} AND \"kind\" = 'top_up' "
                    "GROUP BY time($__interval) fill(none)",
                    alias="top_up",
                )
            ],
            unit=shown.unit,
            interval="1d",
        ),
        steps(
            "Balance by meter",
            "The last balance of each interval. Choose meters above when there are many.",
            [
                target(
                    f'SELECT {shown.amount(_BALANCE)} FROM {_ENTRIES} GROUP BY time($__interval), "meter" fill(none)',
                    alias="$tag_meter",
                )
            ],
            unit=shown.unit,
            interval="1h",
        ),
        table(
            "Settlement so far",
            "By payee: deductions of the time range less reversals. The head-end's settlement is the binding figure.",
            f'SELECT {deducted} AS "collected", count("sequence") AS "entries" FROM {_CHOSEN} '
            'AND ("kind" = \'deduction\' OR "kind" = \'reversal\') AND "payee" <> \'-\' GROUP BY "payee"',
            units={"collected": shown.unit},
        ),
    ]


_LAST_UNPAID = 'SELECT last("{field}") AS "unpaid" FROM "fee_status" WHERE {chosen} GROUP BY "meter", "item", "payee"'
_FEES = """"currency" = '$currency' AND "meter" =~ /^$meter$/ AND $timeFilter"""
_CHOSEN_FEES = _FEES + """ AND "item" =~ /^$item$/ AND "payee" =~ /^$payee$/"""
_AGES = dict(zip((field for field, _ in AGES), ("up to 7 days", "8 to 30 days", "31 to 90 days", "older"), strict=True))
_SUM_UNPAID = 'sum("unpaid")'


def _unpaid(field: str) -> str:
    return f"({_LAST_UNPAID.format(field=field, chosen=_CHOSEN_FEES)})"


def _arrears(shown: Shown) -> list[Json]:
    unpaid = shown.amount(_SUM_UNPAID)
    amount = shown.amount('last("unpaid_minor")')
    return [
        gauge_bars(
            "Arrears ageing",
            "What is due and not paid, as the meters last told: of each fee the oldest unpaid amount, by its age.",
            [target(f"SELECT {unpaid} FROM {_unpaid(field)}", alias=name) for field, name in _AGES.items()],
            unit=shown.unit,
        ),
        gauge_bars(
            "Arrears by payee",
            "The same, by whom it is owed to.",
            [target(f'SELECT {unpaid} FROM {_unpaid("unpaid_minor")} GROUP BY "payee"', alias="$tag_payee")],
            unit=shown.unit,
        ),
        table(
            "Fees and arrears",
            "Each fee as its meter last told: the oldest unpaid amount, how old it is, how many are unpaid.",
            f'SELECT {amount} AS "unpaid", last("age_s") AS "age", last("missed") AS "occurrences" '
            f'FROM "fee_status" WHERE {_CHOSEN_FEES} GROUP BY "meter", "item", "payee"',
            units={"unpaid": shown.unit, "age": SECONDS},
            width=24,
        ),
    ]


def _shortages(shown: Shown) -> list[Json]:
    return [
        bars(
            "Shortages told",
            "How often households were told that money is or will be missing.",
            [
                target(
                    f'SELECT count("value") FROM {_EVENTS} '
                    "AND (\"code\" = 'low_balance' OR \"code\" = 'shortfall_ahead' OR \"code\" = 'insufficient') "
                    'GROUP BY time($__interval), "code" fill(none)',
                    alias="$tag_code",
                )
            ],
            unit=COUNT,
            interval="1d",
        ),
        table(
            "Shortfall ahead",
            "What is missing for all that is owed or falls due within the look-ahead, as each meter last told.",
            f'SELECT {shown.amount(_LAST_SHORTFALL)} AS "missing" FROM "purse_status" WHERE {_FEES} GROUP BY "meter"',
            units={"missing": shown.unit},
        ),
    ]


def _topped_up(shown: Shown, entries: str) -> Json:
    return stat(
        "Topped up",
        "Paid in by residents in the time range.",
        f"SELECT {shown.amount(_SUM)} FROM {entries} AND \"kind\" = 'top_up'",
        unit=shown.unit,
        colour=GREEN,
        decimals=shown.decimals,
    )


def _values(key: str) -> str:
    return f'SHOW TAG VALUES FROM "purse_entry" WITH KEY = "{key}"'


_CURRENCY = variable("currency", "Currency", _values("currency"), several=False)
_METERS = variable("meter", "Meter", _values("meter"), several=True)
_METER = variable("meter", "Meter", _values("meter"), several=False)
_ITEM = variable("item", "Fee item", _values("item"), several=True)
_PAYEE = variable("payee", "Payee", _values("payee"), several=True)
