"""Column types that the two databases spell differently. Imported by `schema` and the migrations."""

from sqlalchemy import BigInteger, Integer

LONG_ID = BigInteger().with_variant(Integer, "sqlite")
"""The number of a row in a table that grows for ever: 64 bits on both (in SQLite an INTEGER key is the row's id)."""
