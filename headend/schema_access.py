"""The tables of who may do what, and of what they did: users, sessions, answers already given, the audit log.

The same `metadata` as `schema`. Imported by `users`, `authentication`, `idempotency` and `audit`.
"""

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, Index, Integer, LargeBinary, Table, Text

from headend.column_types import LONG_ID
from headend.schema import APPEND_ONLY, ROLES, metadata

user_account = Table(
    "user_account",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("organisation_id", ForeignKey("organisation.id"), nullable=False),
    Column("login", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("payee", Text),
    Column("household", Text),
    Column("password_hash", Text, nullable=False),
    Column("disabled_at", DateTime),
    CheckConstraint(f"role IN ({ROLES}) AND role <> 'gateway'", name="role"),
    CheckConstraint("(role = 'payee') = (payee IS NOT NULL)", name="payee"),
    CheckConstraint("(role = 'resident') = (household IS NOT NULL)", name="household"),
)

login_session = Table(
    "login_session",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("user_id", ForeignKey("user_account.id"), nullable=False),
    Column("expires_at", DateTime, nullable=False),
)

given_answer = Table(
    "given_answer",
    metadata,
    Column("organisation_id", ForeignKey("organisation.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request", LargeBinary(32), nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    Column("given_at", DateTime, nullable=False),
)

audit_record = Table(
    "audit_record",
    metadata,
    Column("id", LONG_ID, primary_key=True),
    Column("organisation_id", ForeignKey("organisation.id"), nullable=False),
    Column("at", DateTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index("ix_audit_record_organisation_id_id", "organisation_id", "id"),
    info=APPEND_ONLY,
)
