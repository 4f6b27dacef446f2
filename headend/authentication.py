"""Bearer tokens: 256 random bits each, of which the database keeps only the SHA-256.

A fast hash is enough because a token is random, not chosen by a person. Imported by `api` and `setup`.
"""

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, insert, select

from headend.schema import bearer_token

TOKEN_OCTETS = 32


class Role(StrEnum):
    """What the bearer of a token may do."""

    GATEWAY = "gateway"
    """Upload records, events and its status."""
    READER = "reader"
    """Read purses, entries, mailboxes and reconciliations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Who presented a token."""

    token_id: int
    name: str
    role: Role


def new_token() -> str:
    """A fresh random token, as it is written into a file and sent in a header."""
    return secrets.token_urlsafe(TOKEN_OCTETS)


def store_token(connection: Connection, *, name: str, role: Role, token: str) -> None:
    """Remember a token by its hash; IntegrityError when the name is taken."""
    connection.execute(insert(bearer_token).values(name=name, role=role.value, digest=_digest(token)))


def bearer_of(connection: Connection, token: str) -> Bearer | None:
    """Who holds this token, or None. The look-up is by hash, so its timing tells nothing about a token."""
    found = connection.execute(
        select(bearer_token.c.id, bearer_token.c.name, bearer_token.c.role).where(
            bearer_token.c.digest == _digest(token)
        )
    ).one_or_none()
    return None if found is None else Bearer(token_id=found.id, name=found.name, role=Role(found.role))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
