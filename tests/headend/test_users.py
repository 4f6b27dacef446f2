"""People and their sessions: passwords are kept as argon2id, sessions end, who is shut out is out at once."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, select

from headend.authentication import FIRST_ORGANISATION, Caller, caller_of
from headend.permissions import Role
from headend.schema_access import login_session, user_account
from headend.users import (
    SESSION,
    User,
    UserError,
    add_organisation,
    add_user,
    close_session,
    disable_user,
    hashed,
    known,
    open_session,
    organisation_named,
    users,
)

NOW = datetime(2026, 7, 1, tzinfo=UTC)
PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
HASH = hashed(PASSWORD)
ANNA = User(login="anna", role=Role.RESIDENT, household="一号楼301")


@pytest.fixture
def anna(connection: Connection) -> int:
    """The number of a resident."""
    add_user(connection, FIRST_ORGANISATION, ANNA, HASH)
    number: int = connection.execute(select(user_account.c.id)).scalar_one()
    return number


def test_a_password_is_kept_as_argon2id_and_not_itself(connection: Connection, anna: int) -> None:
    row = connection.execute(select(user_account)).one()
    assert row.password_hash.startswith("$argon2id$")
    assert PASSWORD not in str(row)


def test_login_and_password_must_belong_together(connection: Connection, anna: int) -> None:
    assert known(connection, "anna").has_password(PASSWORD)
    assert not known(connection, "anna").has_password(PASSWORD + "x")
    stranger = known(connection, "bert")
    assert (stranger.user_id, stranger.has_password("nobody has this password")) == (None, False)


def test_a_short_password_is_refused() -> None:
    with pytest.raises(UserError, match="at least 12"):
        hashed("x" * 11)


def test_a_session_is_its_user_until_it_ends(connection: Connection, anna: int) -> None:
    token = open_session(connection, anna, now=NOW)
    assert caller_of(connection, token, now=NOW + SESSION - timedelta(seconds=1)) == Caller(
        organisation_id=FIRST_ORGANISATION, name="anna", role=Role.RESIDENT, household="一号楼301"
    )
    assert caller_of(connection, token, now=NOW + SESSION) is None
    other = open_session(connection, anna, now=NOW + SESSION)
    assert len(connection.execute(select(login_session)).all()) == 1
    close_session(connection, other)
    close_session(connection, other)
    assert caller_of(connection, other, now=NOW + SESSION) is None


def test_who_is_shut_out_is_out_at_once(connection: Connection, anna: int) -> None:
    token = open_session(connection, anna, now=NOW)
    other = add_organisation(connection, "other")
    assert not disable_user(connection, other, "anna", now=NOW)
    assert caller_of(connection, token, now=NOW) is not None
    assert disable_user(connection, FIRST_ORGANISATION, "anna", now=NOW)
    assert caller_of(connection, token, now=NOW) is None
    assert not known(connection, "anna").has_password(PASSWORD)
    assert [user.is_disabled for user in users(connection, FIRST_ORGANISATION)] == [True]
    assert users(connection, other) == []


def test_a_login_is_one_persons_whatever_the_organisation(connection: Connection, anna: int) -> None:
    with pytest.raises(UserError, match="the login 'anna' is taken"):
        add_user(connection, add_organisation(connection, "other"), ANNA, HASH)


def test_organisations_have_names_of_their_own(connection: Connection) -> None:
    number = add_organisation(connection, "north")
    assert organisation_named(connection, "north") == number
    assert organisation_named(connection, "default") == FIRST_ORGANISATION
    with pytest.raises(UserError, match="'north' already"):
        add_organisation(connection, "north")
    with pytest.raises(UserError, match="no organisation named 'south'"):
        organisation_named(connection, "south")
