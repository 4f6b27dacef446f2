"""The first shape: meters, their entries, double-entry postings, events, notices, evidence, tokens."""

import sqlalchemy as sa
from alembic import op

from headend.column_types import LONG_ID
from headend.migrations.append_only import refuse_changes

revision = "0001"
down_revision = None

_APPEND_ONLY = ("entry", "posting", "evidence", "meter_event", "notice")


def upgrade() -> None:
    """Create every table, and the triggers that keep the books append-only."""
    _create_meters()
    _create_books()
    _create_messages()
    _create_gateways()
    for table in _APPEND_ONLY:
        refuse_changes(table)


def _create_meters() -> None:
    op.create_table(
        "meter",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("system_title", sa.Text(), nullable=False),
        sa.Column("household", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("currency_code", sa.Text()),
        sa.Column("currency_scale", sa.Integer()),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(16), nullable=False),
        sa.Column("balance_minor", sa.BigInteger(), nullable=False),
        sa.Column("event_number", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("system_title", name="uq_meter_system_title"),
        sa.CheckConstraint("length(digest) = 16", name="digest"),
        sa.CheckConstraint("sequence >= 0", name="sequence"),
    )
    op.create_table(
        "fee_item",
        sa.Column("meter_id", sa.Integer(), sa.ForeignKey("meter.id", name="fk_fee_item_meter_id"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("revision", sa.BigInteger(), primary_key=True),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("payee", sa.Text(), nullable=False),
    )


def _create_books() -> None:
    op.create_table(
        "entry",
        sa.Column("meter_id", sa.Integer(), sa.ForeignKey("meter.id", name="fk_entry_meter_id"), primary_key=True),
        sa.Column("sequence", sa.BigInteger(), primary_key=True),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("fee_item", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("balance_minor", sa.BigInteger(), nullable=False),
        sa.Column("row", sa.LargeBinary(98), nullable=False),
        sa.CheckConstraint("sequence >= 1", name="sequence"),
        sa.CheckConstraint("kind BETWEEN 1 AND 4", name="kind"),
        sa.CheckConstraint("length(row) = 98", name="row"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("currency_code", sa.Text(), nullable=False),
        sa.Column("currency_scale", sa.Integer(), nullable=False),
        sa.UniqueConstraint(
            "name", "currency_code", "currency_scale", name="uq_account_name_currency_code_currency_scale"
        ),
    )
    op.create_table(
        "posting",
        sa.Column("meter_id", sa.Integer(), primary_key=True),
        sa.Column("sequence", sa.BigInteger(), primary_key=True),
        sa.Column("line", sa.Integer(), primary_key=True),
        sa.Column(
            "account_id", sa.Integer(), sa.ForeignKey("account.id", name="fk_posting_account_id"), nullable=False
        ),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["meter_id", "sequence"], ["entry.meter_id", "entry.sequence"], name="fk_posting_meter_id_sequence"
        ),
        sa.CheckConstraint("line IN (0, 1)", name="line"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "evidence",
        sa.Column("id", LONG_ID, primary_key=True),
        sa.Column("meter_id", sa.Integer(), sa.ForeignKey("meter.id", name="fk_evidence_meter_id"), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("held_row", sa.LargeBinary()),
        sa.Column("received_row", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("meter_id", "sequence", "received_row", name="uq_evidence_meter_id_sequence_received_row"),
    )


def _create_messages() -> None:
    op.create_table(
        "meter_event",
        sa.Column(
            "meter_id", sa.Integer(), sa.ForeignKey("meter.id", name="fk_meter_event_meter_id"), primary_key=True
        ),
        sa.Column("number", sa.BigInteger(), primary_key=True),
        sa.Column("time", sa.LargeBinary(12), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("fee_item", sa.Integer(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.LargeBinary(12)),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "notice",
        sa.Column("id", LONG_ID, primary_key=True),
        sa.Column("meter_id", sa.Integer(), sa.ForeignKey("meter.id", name="fk_notice_meter_id"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.UniqueConstraint("meter_id", "kind", "number", name="uq_notice_meter_id_kind_number"),
    )
    op.create_index("ix_notice_meter_id_id", "notice", ["meter_id", "id"])


def _create_gateways() -> None:
    op.create_table(
        "bearer_token",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.UniqueConstraint("name", name="uq_bearer_token_name"),
        sa.UniqueConstraint("digest", name="uq_bearer_token_digest"),
        sa.CheckConstraint("role IN ('gateway', 'reader')", name="role"),
    )
    op.create_table(
        "gateway_status",
        sa.Column(
            "token_id",
            sa.Integer(),
            sa.ForeignKey("bearer_token.id", name="fk_gateway_status_token_id"),
            primary_key=True,
        ),
        sa.Column("received_at", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
    )
    op.create_table(
        "unknown_meter",
        sa.Column("system_title", sa.Text(), primary_key=True),
        sa.Column("batches", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
    )
