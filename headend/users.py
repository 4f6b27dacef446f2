"""Organisations and the people in them: passwords (argon2id), sessions that end by themselves.

Passwords are hashed by argon2-cffi with its own defaults, RFC 9106's low-memory profile. Imported by `api` and `setup`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import Connection, delete, insert, select, update

from dlms_objects.errors import LocalError
from headend.authentication import new_token, token_digest
from headend.column_types import naive
from headend.permissions import Role
from headend.schema import organisation
from headend.schema_access import login_session, user_account

SESSION = timedelta(hours=12)
SHORTEST_PASSWORD = 12

_hasher = PasswordHasher()
_NOBODY = _hasher.hash("nobody has this password")
"""Verified when a login is not known, so that it takes as long as one that is."""


class UserError(LocalError):
    """A user or organisation cannot be made or changed so; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person of an organisation, without the password."""

    login: str
    role: Role
    payee: str | None = None
    household: str | None = None
    is_disabled: bool = False


def add_organisation(connection: Connection, name: str) -> int:
    """Enter an organisation; its number. UserError when there is one of that name."""
    if connection.execute(select(organisation.c.id).where(organisation.c.name == name)).first() is not None:
        raise UserError(f"there is an organisation named {name!r} already")
    number: int = connection.execute(insert(organisation).values(name=name).returning(organisation.c.id)).scalar_one()
    return number


def organisation_named(connection: Connection, name: str) -> int:
    """The number of an organisation; UserError when there is none of that name."""
    found: int | None = connection.execute(
        select(organisation.c.id).where(organisation.c.name == name)
    ).scalar_one_or_none()
    if found is None:
        raise UserError(f"there is no organisation named {name!r}; `headend add-organisation` makes one")
    return found


def hashed(password: str) -> str:
    """What is kept of a password; takes some 50 ms on purpose, so not inside a transaction. UserError: too short."""
    if len(password) < SHORTEST_PASSWORD:
        raise UserError(f"a password has at least {SHORTEST_PASSWORD} characters")
    return _hasher.hash(password)


def add_user(connection: Connection, organisation_id: int, user: User, password_hash: str) -> None:
    """Enter a person; UserError when the login is taken, in whichever organisation."""
    if connection.execute(select(user_account.c.id).where(user_account.c.login == user.login)).first() is not None:
        raise UserError(f"the login {user.login!r} is taken")
    connection.execute(
        insert(user_account).values(
            organisation_id=organisation_id,
            login=user.login,
            role=user.role.value,
            payee=user.payee,
            household=user.household,
            password_hash=password_hash,
        )
    )


def users(connection: Connection, organisation_id: int) -> list[User]:
    """The people of an organisation, by login."""
    rows = connection.execute(
        select(user_account).where(user_account.c.organisation_id == organisation_id).order_by(user_account.c.login)
    )
    return [
        User(
            login=row.login,
            role=Role(row.role),
            payee=row.payee,
            household=row.household,
            is_disabled=row.disabled_at is not None,
        )
        for row in rows
    ]


def disable_user(connection: Connection, organisation_id: int, login: str, *, now: datetime) -> bool:
    """Shut a person out at once, sessions too; False when the organisation has none of that login."""
    found = connection.execute(
        update(user_account)
        .where(user_account.c.organisation_id == organisation_id, user_account.c.login == login)
        .values(disabled_at=naive(now))
        .returning(user_account.c.id)
    ).scalar_one_or_none()
    if found is None:
        return False
    connection.execute(delete(login_session).where(login_session.c.user_id == found))
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is to be held against a password; `user_id` None when the login is not known or shut out."""

    user_id: int | None
    password_hash: str

    def has_password(self, password: str) -> bool:
        """Whether it is the password; takes as long for a login that is not known."""
        try:
            _hasher.verify(self.password_hash, password)
        except VerifyMismatchError:
            return False
        return self.user_id is not None


def known(connection: Connection, login: str) -> Known:
    """What is known of a login."""
    row = connection.execute(
        select(user_account.c.id, user_account.c.password_hash).where(
            user_account.c.login == login, user_account.c.disabled_at.is_(None)
        )
    ).one_or_none()
    return Known(user_id=None, password_hash=_NOBODY) if row is None else Known(user_id=row[0], password_hash=row[1])


def open_session(connection: Connection, user_id: int, *, now: datetime) -> str:
    """A session that ends after SESSION: its token. Sessions that have ended are forgotten."""
    token, at = new_token(), naive(now)
    connection.execute(delete(login_session).where(login_session.c.expires_at <= at))
    connection.execute(
        insert(login_session).values(digest=token_digest(token), user_id=user_id, expires_at=at + SESSION)
    )
    return token


def close_session(connection: Connection, token: str) -> None:
    """End a session; ending it twice is the same."""
    connection.execute(delete(login_session).where(login_session.c.digest == token_digest(token)))
