"""The first step: what its constraints refuse."""

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from headend.migrations.versions import revision_0001
from tests.support.ledgers import octets_type

ENTRY = "INSERT INTO entry VALUES (:meter, :sequence, :kind, 0, 1, 1, :row, NULL)"


def entry(connection: Connection, **changed: int) -> None:
    told = {"meter": 1, "sequence": 1, "kind": 1, "length": 98} | changed
    connection.execute(text(ENTRY), told | {"row": bytes(told.pop("length"))})


def test_it_is_the_first() -> None:
    assert (revision_0001.revision, revision_0001.down_revision) == ("0001", None)


@pytest.mark.parametrize("changed", [{"meter": 99}, {"sequence": 0}, {"kind": 0}, {"kind": 5}, {"length": 97}])
def test_an_entry_that_cannot_be_is_refused(connection: Connection, changed: dict[str, int]) -> None:
    with pytest.raises(IntegrityError):
        entry(connection, **changed)


def test_an_entry_is_there_once(connection: Connection) -> None:
    entry(connection)
    with pytest.raises(IntegrityError, match="(?i)unique"):
        entry(connection)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO posting VALUES (1, 1, 2, 1, 5)",
        "INSERT INTO posting VALUES (1, 2, 0, 1, 5)",
        "INSERT INTO posting VALUES (1, 1, 0, 9, 5)",
        "INSERT INTO bearer_token (id, name, role, digest, organisation_id) "
        "VALUES (1, 'x', 'reader', CAST('x' AS {octets}), 1)",
        "UPDATE entry SET amount_minor = 2",
        "DELETE FROM entry",
    ],
)
def test_the_database_guards_the_books(connection: Connection, statement: str) -> None:
    entry(connection)
    connection.execute(
        text(
            "INSERT INTO account (id, name, currency_code, currency_scale, organisation_id) "
            "VALUES (1, 'purse:x', 'CNY', -2, 1)"
        )
    )
    with pytest.raises(IntegrityError):
        connection.execute(text(statement.format(octets=octets_type(connection))))
