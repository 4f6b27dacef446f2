"""The tables of the head-end, as SQLAlchemy Core sees them.

The shape on disk is made by `migrations/` alone; a test proves that both say the same. Amounts are whole minor units,
signed 64 bits. What the meters said (entry, posting, event, evidence, notice) is append-only: the database itself
refuses to change or delete it. Imported by every module that speaks SQL, and by nothing above them.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
)

from headend.column_types import LONG_ID

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ROLES = "'gateway', 'admin', 'operator', 'payee', 'resident', 'auditor'"

APPEND_ONLY = {"append_only": True}
"""Marks the tables whose rows the database refuses to change or delete."""
PURSE_LINE = 0
"""The posting on the household's purse."""
COUNTER_LINE = 1
"""The posting on the other account: payee, clearing or adjustment."""

organisation = Table(
    "organisation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
)

meter = Table(
    "meter",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("organisation_id", ForeignKey("organisation.id"), nullable=False),
    Column("gateway_id", ForeignKey("bearer_token.id")),
    Column("system_title", Text, nullable=False, unique=True),
    Column("household", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("currency_code", Text),
    Column("currency_scale", Integer),
    Column("sequence", BigInteger, nullable=False),
    Column("digest", LargeBinary(16), nullable=False),
    Column("balance_minor", BigInteger, nullable=False),
    Column("event_number", BigInteger, nullable=False),
    Column("stated_sequence", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("length(digest) = 16", name="digest"),
    CheckConstraint("sequence >= 0", name="sequence"),
    Index("ix_meter_organisation_id_system_title", "organisation_id", "system_title"),
)

fee_item = Table(
    "fee_item",
    metadata,
    Column("meter_id", ForeignKey("meter.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    Column("kind", Integer, nullable=False),
    Column("label", Text, nullable=False),
    Column("payee", Text, nullable=False),
)

entry = Table(
    "entry",
    metadata,
    Column("meter_id", ForeignKey("meter.id"), primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("kind", Integer, nullable=False),
    Column("fee_item", Integer, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("balance_minor", BigInteger, nullable=False),
    Column("row", LargeBinary(98), nullable=False),
    Column("item_revision", BigInteger),
    CheckConstraint("sequence >= 1", name="sequence"),
    CheckConstraint("kind BETWEEN 1 AND 4", name="kind"),
    CheckConstraint("length(row) = 98", name="row"),
    sqlite_with_rowid=False,
    info=APPEND_ONLY,
)

account = Table(
    "account",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("organisation_id", ForeignKey("organisation.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("currency_code", Text, nullable=False),
    Column("currency_scale", Integer, nullable=False),
    UniqueConstraint("organisation_id", "name", "currency_code", "currency_scale"),
)

posting = Table(
    "posting",
    metadata,
    Column("meter_id", Integer, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    ForeignKeyConstraint(["meter_id", "sequence"], ["entry.meter_id", "entry.sequence"]),
    CheckConstraint("line IN (0, 1)", name="line"),
    sqlite_with_rowid=False,
    info=APPEND_ONLY,
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", LONG_ID, primary_key=True),
    Column("meter_id", ForeignKey("meter.id"), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("cause", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("held_row", LargeBinary),
    Column("received_row", LargeBinary, nullable=False),
    UniqueConstraint("meter_id", "sequence", "received_row"),
    info=APPEND_ONLY,
)

meter_event = Table(
    "meter_event",
    metadata,
    Column("meter_id", ForeignKey("meter.id"), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("time", LargeBinary(12), nullable=False),
    Column("code", Integer, nullable=False),
    Column("fee_item", Integer, nullable=False),
    Column("value", BigInteger, nullable=False),
    Column("due", LargeBinary(12)),
    sqlite_with_rowid=False,
    info=APPEND_ONLY,
)

notice = Table(
    "notice",
    metadata,
    Column("id", LONG_ID, primary_key=True),
    Column("meter_id", ForeignKey("meter.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("facts", Text, nullable=False),
    UniqueConstraint("meter_id", "kind", "number"),
    Index("ix_notice_meter_id_id", "meter_id", "id"),
    info=APPEND_ONLY,
)

bearer_token = Table(
    "bearer_token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("organisation_id", ForeignKey("organisation.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("payee", Text),
    Column("household", Text),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("revoked_at", DateTime),
    UniqueConstraint("organisation_id", "name"),
    CheckConstraint(f"role IN ({ROLES})", name="role"),
    CheckConstraint("(role = 'payee') = (payee IS NOT NULL)", name="payee"),
    CheckConstraint("(role = 'resident') = (household IS NOT NULL)", name="household"),
)

gateway_status = Table(
    "gateway_status",
    metadata,
    Column("token_id", ForeignKey("bearer_token.id"), primary_key=True),
    Column("received_at", Text, nullable=False),
    Column("status", Text, nullable=False),
)

unknown_meter = Table(
    "unknown_meter",
    metadata,
    Column("organisation_id", ForeignKey("organisation.id"), primary_key=True),
    Column("system_title", Text, primary_key=True),
    Column("batches", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
)

point_bundle = Table(
    "point_bundle",
    metadata,
    Column("id", LONG_ID, primary_key=True),
    Column("queued_at", DateTime, server_default=func.current_timestamp(), nullable=False),
    Column("points", Integer, nullable=False),
    Column("lines", Text, nullable=False),
    CheckConstraint("points >= 1", name="points"),
)

refused_point = Table(
    "refused_point",
    metadata,
    Column("id", LONG_ID, primary_key=True),
    Column("refused_at", DateTime, server_default=func.current_timestamp(), nullable=False),
    Column("line", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

point_sink = Table(
    "point_sink",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("wanted", Integer, nullable=False),
    Column("delivered", BigInteger, nullable=False),
    Column("delivered_at", DateTime),
    Column("failure", Text),
    Column("failed_at", DateTime),
    CheckConstraint("id = 1", name="one_row"),
    CheckConstraint("wanted IN (0, 1)", name="wanted"),
)

alarm = Table(
    "alarm",
    metadata,
    Column("id", LONG_ID, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("facts", Text, nullable=False),
    Column("raised_at", DateTime, server_default=func.current_timestamp(), nullable=False),
    UniqueConstraint("kind", "subject", "number"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", LONG_ID, primary_key=True),
    Column("notice_id", ForeignKey("notice.id")),
    Column("alarm_id", ForeignKey("alarm.id")),
    Column("recipient", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("is_digest", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("planned_at", DateTime, nullable=False),
    Column("due_at", DateTime, nullable=False),
    Column("changed_at", DateTime, nullable=False),
    Column("reason", Text),
    UniqueConstraint("notice_id", "recipient", "channel"),
    UniqueConstraint("alarm_id", "recipient", "channel"),
    CheckConstraint("(notice_id IS NULL) <> (alarm_id IS NULL)", name="one_subject"),
    CheckConstraint("state IN ('pending', 'sending', 'sent', 'failed', 'dead')", name="state"),
    Index("ix_delivery_channel_state_due_at", "channel", "state", "due_at"),
)

delivery_plan = Table(
    "delivery_plan",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("notice_id", BigInteger, nullable=False),
    Column("alarm_id", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

courier_key = Table(
    "courier_key",
    metadata,
    Column("meter_id", ForeignKey("meter.id"), primary_key=True),
    Column("head_end_title", Text, nullable=False),
    Column("key_name", Text, nullable=False),
    Column("sealed_keys", LargeBinary, nullable=False),
    Column("sent", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("last_batch", LargeBinary(32)),
    Column("last_answer", LargeBinary),
    CheckConstraint("(last_batch IS NULL) = (last_answer IS NULL)", name="last"),
)
