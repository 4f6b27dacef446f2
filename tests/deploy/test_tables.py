"""Tables show exact amounts and the names of what is set."""

import io

from rich.console import Console

from deploy.tables import amount, events_table, flag_names, journal_table, moment, objects_table, purse_table, table
from dlms_objects.purse.prompt import StatusFlag
from dlms_objects.values.money import Currency

CNY = Currency("CNY", -2)


def shown(made: object) -> str:
    out = io.StringIO()
    Console(file=out, width=200).print(made)
    return out.getvalue()


def test_amounts_keep_every_decimal() -> None:
    assert [amount(minor, CNY) for minor in (0, -1, 350_000, 2**63 - 1)] == [
        "0.00",
        "-0.01",
        "3500.00",
        "92233720368547758.07",
    ]


def test_the_flags_of_a_status_are_named() -> None:
    assert flag_names((StatusFlag.LOW_BALANCE | StatusFlag.TAMPER).bits()) == ["low_balance", "tamper"]
    assert flag_names("0" * 16) == []


def test_a_moment_that_is_not_there_is_a_dash() -> None:
    assert (moment(None), moment("2026-01-01T00:10:00+08:00")) == ("-", "2026-01-01 00:10:00+08:00")


def test_the_purse_shows_its_balance_and_status() -> None:
    purse = {
        "balance": -5,
        "status": {"flags": "1" + "0" * 15, "shortfall": 100, "next_due": None, "next_amount": 0},
        "settings": {"low_balance_threshold": 50_000, "max_catch_up": 12},
        "journal_head": {"sequence": 7, "digest": "ab"},
        "acknowledged": {"sequence": 6},
    }
    text = shown(purse_table(purse, CNY))
    for part in ("-0.05 CNY", "low_balance", "1.00", "500.00", "12", "7  ab"):
        assert part in text


def test_a_journal_row_shows_what_moved() -> None:
    row = {
        "sequence": 3,
        "time": "2026-01-01T01:00:00+08:00",
        "kind": "deduction",
        "fee_item": 1,
        "due": "2026-01-01T00:10:00",
        "amount": -350_000,
        "balance": 0,
    }
    text = shown(journal_table([row], CNY))
    assert "-3500.00" in text
    assert "deduction" in text


def test_an_event_is_named_and_an_unknown_one_keeps_its_number() -> None:
    event = {"number": 1, "time": None, "code": 12, "fee_item": 0, "value": 5, "due": None}
    text = shown(events_table([event, event | {"code": 999}]))
    assert "insufficient" in text
    assert "999" in text


def test_the_rights_of_an_object_are_letters() -> None:
    rights = {
        "attribute_access": [{"attribute_id": 1, "access_mode": 1}, {"attribute_id": 2, "access_mode": 3}],
        "method_access": [{"method_id": 1, "access_mode": 0}, {"method_id": 2, "access_mode": 1}],
    }
    entry = {"class_id": 8, "logical_name": "0.0.1.0.0.255", "access_rights": rights}
    text = shown(objects_table([entry], lambda _entry: ("Clock", "Clock object #1")))
    assert "Clock object #1" in text
    assert "1r 2rw" in text
    assert "2x" in text
    assert "1x" not in text


def test_a_table_has_a_line_for_each_row() -> None:
    assert shown(table("T", ("a", "b"), [(1, 2), (3, 4)])).count("\n") == 5
