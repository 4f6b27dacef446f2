"""The tables of settlement: closed periods of payees, what is in them, and by which path rows were carried here.

The same `metadata` as `schema`. Amounts are whole minor units. Imported by `settlement`, `settled`, `delivery_path` and
the environment of the migrations.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from headend.column_types import LONG_ID
from headend.schema import APPEND_ONLY, metadata

settlement_period = Table(
    "settlement_period",
    metadata,
    Column("id", LONG_ID, primary_key=True),
    Column("organisation_id", ForeignKey("organisation.id"), nullable=False),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("payee", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("begins_at", DateTime),
    Column("ends_at", DateTime, nullable=False),
    Column("end_day", Date, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("collected_minor", BigInteger, nullable=False),
    Column("reversed_minor", BigInteger, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("late_entries", BigInteger, nullable=False),
    Column("closed_at", DateTime, nullable=False),
    Column("closed_by", Text, nullable=False),
    UniqueConstraint("organisation_id", "payee", "number"),
    UniqueConstraint("account_id", "ends_at"),
    CheckConstraint("begins_at IS NULL OR begins_at < ends_at", name="order"),
    info=APPEND_ONLY,
)

settlement_sum = Table(
    "settlement_sum",
    metadata,
    Column("period_id", ForeignKey("settlement_period.id"), primary_key=True),
    Column("item_kind", Integer, primary_key=True, autoincrement=False),
    Column("label", Text, primary_key=True),
    Column("collected_minor", BigInteger, nullable=False),
    Column("reversed_minor", BigInteger, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("late_entries", BigInteger, nullable=False),
    info=APPEND_ONLY,
)

settlement_line = Table(
    "settlement_line",
    metadata,
    Column("meter_id", Integer, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("period_id", ForeignKey("settlement_period.id"), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("household", Text, nullable=False),
    Column("item_kind", Integer, nullable=False),
    Column("label", Text, nullable=False),
    Column("is_late", Integer, nullable=False),
    ForeignKeyConstraint(["meter_id", "sequence"], ["entry.meter_id", "entry.sequence"]),
    UniqueConstraint("period_id", "number"),
    CheckConstraint("is_late IN (0, 1)", name="is_late"),
    sqlite_with_rowid=False,
    info=APPEND_ONLY,
)
"""One entry in one period: its key is the entry's, so no entry can ever be settled twice."""

settlement_reach = Table(
    "settlement_reach",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("meter_id", ForeignKey("meter.id"), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
)
"""Up to where nothing of an account is left to be settled in a meter's journal; it saves reading what is settled."""

delivery_path = Table(
    "delivery_path",
    metadata,
    Column("meter_id", ForeignKey("meter.id"), primary_key=True),
    Column("first_sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("path", Text, nullable=False),
    Column("at", DateTime, nullable=False),
    CheckConstraint("path IN ('gateway', 'courier')", name="path"),
    CheckConstraint("first_sequence <= last_sequence", name="order"),
    info=APPEND_ONLY,
)
"""By which path a run of a meter's rows came that was new here, and when."""
