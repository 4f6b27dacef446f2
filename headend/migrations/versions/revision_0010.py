"""Settlement: closed periods of payees and their lines, and by which path rows were carried to the head-end."""

import sqlalchemy as sa
from alembic import op

from headend.column_types import LONG_ID
from headend.migrations.append_only import refuse_changes

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the tables; what was booked before is of each payee's first period, and its path is not known."""
    _periods()
    _lines()
    op.create_table(
        "delivery_path",
        sa.Column("meter_id", sa.Integer(), sa.ForeignKey("meter.id"), primary_key=True),
        sa.Column("first_sequence", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("path IN ('gateway', 'courier')", name="path"),
        sa.CheckConstraint("first_sequence <= last_sequence", name="order"),
    )
    for table in ("settlement_period", "settlement_sum", "settlement_line", "delivery_path"):
        refuse_changes(table)


def _periods() -> None:
    op.create_table(
        "settlement_period",
        sa.Column("id", LONG_ID, primary_key=True),
        sa.Column("organisation_id", sa.Integer(), sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("payee", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("begins_at", sa.DateTime()),
        sa.Column("ends_at", sa.DateTime(), nullable=False),
        sa.Column("end_day", sa.Date(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("collected_minor", sa.BigInteger(), nullable=False),
        sa.Column("reversed_minor", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("late_entries", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.UniqueConstraint("organisation_id", "payee", "number"),
        sa.UniqueConstraint("account_id", "ends_at"),
        sa.CheckConstraint("begins_at IS NULL OR begins_at < ends_at", name="order"),
    )
    op.create_table(
        "settlement_sum",
        sa.Column("period_id", LONG_ID, sa.ForeignKey("settlement_period.id"), primary_key=True),
        sa.Column("item_kind", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("label", sa.Text(), primary_key=True),
        sa.Column("collected_minor", sa.BigInteger(), nullable=False),
        sa.Column("reversed_minor", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("late_entries", sa.BigInteger(), nullable=False),
    )


def _lines() -> None:
    op.create_table(
        "settlement_line",
        sa.Column("meter_id", sa.Integer(), primary_key=True),
        sa.Column("sequence", sa.BigInteger(), primary_key=True),
        sa.Column("period_id", LONG_ID, sa.ForeignKey("settlement_period.id"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("household", sa.Text(), nullable=False),
        sa.Column("item_kind", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("is_late", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["meter_id", "sequence"], ["entry.meter_id", "entry.sequence"]),
        sa.UniqueConstraint("period_id", "number"),
        sa.CheckConstraint("is_late IN (0, 1)", name="is_late"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "settlement_reach",
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("meter_id", sa.Integer(), sa.ForeignKey("meter.id"), primary_key=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
    )
