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

_DAY_S = 86_400
_SUM = 'sum("amount_minor")'
_BALANCE = 'last("balance_minor")'
_EACH_AMOUNT, _EACH_BALANCE = '"amount_minor"', '"balance_minor"'
_SUM_OF_LAST, _LAST_VALUE = 'sum("last")', 'last("value")'
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
        panels=[*_totals(shown), *_flows(shown), *_accounts(shown), *_shortages(shown)],
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
        gauge_bars(
            "Arrears ageing",
            "Deductions by how long after their due time the balance allowed them.",
            [_late(shown, name, low, high) for name, low, high in _AGES],
            unit=shown.unit,
        ),
    ]


_AGES = (
    ("on its day", None, _DAY_S),
    ("1 to 7 days late", _DAY_S, 7 * _DAY_S),
    ("8 to 30 days late", 7 * _DAY_S, 30 * _DAY_S),
    ("later", 30 * _DAY_S, None),
)


def _late(shown: Shown, name: str, low: int | None, high: int | None) -> Json:
    bounds = "" if low is None else f' AND "late_s" >= {low}'
    bounds += "" if high is None else f' AND "late_s" < {high}'
    deducted = shown.amount(_SUM, negative=True)
    return target(f"SELECT {deducted} FROM {_CHOSEN} AND \"kind\" = 'deduction'{bounds}", alias=name)


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
            "What each household was last told will be missing within its look-ahead. Later top-ups are not in it.",
            f'SELECT {shown.amount(_LAST_VALUE)} AS "missing" FROM {_EVENTS} '
            'AND "code" = \'shortfall_ahead\' GROUP BY "meter"',
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
