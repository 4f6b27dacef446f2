"""Bearer tokens, of programs and of sessions: 256 random bits each, of which the database keeps only the SHA-256.

A fast hash is enough because a token is random, not chosen by a person; passwords are `users`' business. Imported by
`api`, `users` and `setup`.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from headend.column_types import naive
from headend.permissions import PERMISSIONS, Permission, Role
from headend.schema import bearer_token
from headend.schema_access import login_session, user_account

TOKEN_OCTETS = 32
FIRST_ORGANISATION = 1
"""The organisation that every head-end begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, for which organisation, and what he is in it.

    `token_id` is that of a program's token, None in a person's session. A payee sees what is his `payee`'s, a resident
    what is his `household`'s.
    """

    organisation_id: int
    name: str
    role: Role
    token_id: int | None = None
    payee: str | None = None
    household: str | None = None

    def may(self, permission: Permission) -> bool:
        """Whether the caller's role has a permission."""
        return permission in PERMISSIONS[self.role]


def new_token() -> str:
    """A fresh random token, as it is written into a file and sent in a header."""
    return secrets.token_urlsafe(TOKEN_OCTETS)


def store_token(  # noqa: PLR0913 - the columns of a token
    connection: Connection,
    *,
    name: str,
    role: Role,
    token: str,
    organisation_id: int = FIRST_ORGANISATION,
    payee: str | None = None,
    household: str | None = None,
) -> int:
    """Remember a token by its hash; its number. IntegrityError when the organisation has one of that name."""
    number: int = connection.execute(
        insert(bearer_token)
        .values(
            organisation_id=organisation_id,
            name=name,
            role=role.value,
            payee=payee,
            household=household,
            digest=token_digest(token),
        )
        .returning(bearer_token.c.id)
    ).scalar_one()
    return number


def token_named(connection: Connection, organisation_id: int, name: str) -> int | None:
    """The number of a token, revoked or not; None when the organisation never had one of that name."""
    found: int | None = connection.execute(
        select(bearer_token.c.id).where(bearer_token.c.organisation_id == organisation_id, bearer_token.c.name == name)
    ).scalar_one_or_none()
    return found


def revoke_token(connection: Connection, organisation_id: int, name: str, *, now: datetime) -> bool:
    """Make a token worthless; False when the organisation has none of that name that was good until now."""
    revoked = connection.execute(
        update(bearer_token)
        .where(
            bearer_token.c.organisation_id == organisation_id,
            bearer_token.c.name == name,
            bearer_token.c.revoked_at.is_(None),
        )
        .values(revoked_at=naive(now))
    )
    return revoked.rowcount == 1


def caller_of(connection: Connection, token: str, *, now: datetime) -> Caller | None:
    """Who holds this token, or None. The look-up is by hash, so its timing tells nothing about a token."""
    digest = token_digest(token)
    found = connection.execute(
        select(bearer_token).where(bearer_token.c.digest == digest, bearer_token.c.revoked_at.is_(None))
    ).one_or_none()
    if found is not None:
        return Caller(
            organisation_id=found.organisation_id,
            name=found.name,
            role=Role(found.role),
            token_id=found.id,
            payee=found.payee,
            household=found.household,
        )
    person = connection.execute(
        select(user_account)
        .join(login_session, login_session.c.user_id == user_account.c.id)
        .where(
            login_session.c.digest == digest,
            login_session.c.expires_at > naive(now),
            user_account.c.disabled_at.is_(None),
        )
    ).one_or_none()
    if person is None:
        return None
    return Caller(
        organisation_id=person.organisation_id,
        name=person.login,
        role=Role(person.role),
        payee=person.payee,
        household=person.household,
    )


def token_digest(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()
