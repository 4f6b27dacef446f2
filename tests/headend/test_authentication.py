"""Laws of bearer tokens."""

from datetime import UTC, datetime

from sqlalchemy import Connection, select

from headend.authentication import caller_of, new_token, store_token
from headend.permissions import Role
from headend.schema import bearer_token

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def test_a_token_is_known_by_its_bearer_alone(connection: Connection) -> None:
    mine, theirs = new_token(), new_token()
    store_token(connection, name="north", role=Role.GATEWAY, token=mine)
    store_token(connection, name="console", role=Role.AUDITOR, token=theirs)
    north, console = caller_of(connection, mine, now=NOW), caller_of(connection, theirs, now=NOW)
    assert north is not None
    assert console is not None
    assert (north.name, north.role) == ("north", Role.GATEWAY)
    assert (console.name, console.role) == ("console", Role.AUDITOR)
    assert north.token_id != console.token_id
    for stranger in ("", mine[:-1], mine + " ", mine.swapcase()):
        assert caller_of(connection, stranger, now=NOW) is None


def test_the_database_never_sees_a_token(connection: Connection) -> None:
    token = new_token()
    store_token(connection, name="north", role=Role.GATEWAY, token=token)
    stored = connection.execute(select(bearer_token)).one()
    assert token not in repr(stored)
    assert len(stored.digest) == 32


def test_tokens_are_long_and_never_repeat() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {43}
