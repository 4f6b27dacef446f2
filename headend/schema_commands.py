"""The tables of commands to meters, and of the keys with which meters are reached.

The same `metadata` as `schema`. Imported by `commands` and `meter_keys`.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from headend.column_types import LONG_ID
from headend.schema import metadata

STATES = "'queued', 'sent', 'confirmed', 'refused', 'failed', 'expired', 'cancelled'"

command = Table(
    "command",
    metadata,
    Column("number", LONG_ID, primary_key=True),
    Column("id", Text, nullable=False),
    Column("organisation_id", ForeignKey("organisation.id"), nullable=False),
    Column("meter_id", ForeignKey("meter.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("parameters", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("bulk", Text),
    Column("created_at", DateTime, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("not_before", DateTime),
    Column("expires_at", DateTime),
    Column("state", Text, nullable=False),
    Column("changed_at", DateTime, nullable=False),
    Column("reason", Text),
    Column("answer", Text),
    UniqueConstraint("organisation_id", "id"),
    CheckConstraint(f"state IN ({STATES})", name="state"),
    CheckConstraint("priority BETWEEN 0 AND 9", name="priority"),
    Index("ix_command_meter_id_state", "meter_id", "state"),
    Index("ix_command_organisation_id_bulk", "organisation_id", "bulk"),
    Index("ix_command_organisation_id_number", "organisation_id", "number"),
)

meter_key = Table(
    "meter_key",
    metadata,
    Column("meter_id", ForeignKey("meter.id"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("state", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("changed_at", DateTime, nullable=False),
    Column("invocation_counter", BigInteger, nullable=False),
    CheckConstraint("role IN ('reader', 'management', 'master')", name="role"),
    CheckConstraint("state IN ('wanted', 'in_force', 'replaced')", name="state"),
)

gateway_recipient = Table(
    "gateway_recipient",
    metadata,
    Column("token_id", ForeignKey("bearer_token.id"), primary_key=True),
    Column("recipient", Text, nullable=False),
    Column("told_at", DateTime, nullable=False),
)
