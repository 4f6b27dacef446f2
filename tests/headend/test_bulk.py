"""Many rows at once come out as they went in, on either database."""

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from headend.bulk import insert_rows, update_rows
from headend.engines import REPLACEMENT
from headend.schema import account, evidence, meter

EVIDENCE = ("meter_id", "sequence", "cause", "detail", "held_row", "received_row")
ROWS = [
    (1, 2**40, "fork", "房租 'quoted' \"twice\" %s ?", None, bytes(range(256))),
    (2, 1, "", "{}", b"", b"\x00"),
]


def test_rows_are_added_in_order_and_to_the_octet(connection: Connection) -> None:
    insert_rows(connection, evidence, EVIDENCE, ROWS)
    columns = [evidence.c[name] for name in EVIDENCE]
    assert [tuple(row) for row in connection.execute(select(*columns).order_by(evidence.c.id))] == ROWS


def test_rows_are_changed_by_their_number(connection: Connection) -> None:
    update_rows(connection, meter, ("id", "balance_minor", "household"), [(2, -(2**62), "b"), (1, 5, "a")])
    found = connection.execute(select(meter.c.balance_minor, meter.c.household).order_by(meter.c.id))
    assert [tuple(row) for row in found] == [(5, "a"), (-(2**62), "b")]


def test_a_text_that_postgresql_cannot_hold_keeps_no_row_out(connection: Connection) -> None:
    insert_rows(connection, evidence, EVIDENCE, [(1, 1, "fork", "a\0b", None, b"")])
    connection.execute(evidence.insert().values(meter_id=1, sequence=2, cause="\0", detail="", received_row=b""))
    held = connection.execute(select(evidence.c.detail, evidence.c.cause).order_by(evidence.c.id)).all()
    nul = "\0" if connection.dialect.name == "sqlite" else REPLACEMENT
    assert (held[0].detail, held[1].cause) == (f"a{nul}b", nul)


def test_no_rows_are_no_statement(connection: Connection) -> None:
    insert_rows(connection, evidence, EVIDENCE, [])
    update_rows(connection, meter, ("id", "household"), [])
    assert connection.execute(select(evidence)).all() == []


def test_one_row_that_cannot_be_keeps_all_out(connection: Connection) -> None:
    names = ("name", "currency_code", "currency_scale")
    with pytest.raises(IntegrityError), connection.begin_nested():
        insert_rows(connection, account, names, [("a", "CNY", -2), ("a", "CNY", -2)])
    assert connection.execute(select(account)).all() == []
