"""Column types that the two databases spell differently, and how instants are kept.

Imported by `schema`, the migrations and whoever writes an instant.
"""

from datetime import UTC, datetime

from sqlalchemy import BigInteger, Integer

LONG_ID = BigInteger().with_variant(Integer, "sqlite")
"""The number of a row in a table that grows for ever: 64 bits on both (in SQLite an INTEGER key is the row's id)."""


def naive(instant: datetime) -> datetime:
    """An instant as the tables keep it: UTC without a zone."""
    return instant.astimezone(UTC).replace(tzinfo=None)
