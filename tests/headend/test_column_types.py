"""The number of a row is given by the database, and has room for a table that grows for ever."""

from sqlalchemy import Connection, insert, select

from headend.schema import notice

BEYOND_32_BITS = 2**31 + 5


def test_numbers_are_given_and_go_beyond_32_bits(connection: Connection) -> None:
    told = {"meter_id": 1, "kind": "deduction", "facts": "{}"}
    given = connection.execute(insert(notice).values(number=1, **told)).inserted_primary_key
    connection.execute(insert(notice).values(id=BEYOND_32_BITS, number=2, **told))
    assert connection.execute(select(notice.c.id).order_by(notice.c.id)).scalars().all() == [*given, BEYOND_32_BITS]
