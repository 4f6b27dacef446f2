"""Commands to meters, and the keys with which meters are reached."""

import sqlalchemy as sa
from alembic import op

from headend.column_types import LONG_ID

revision = "0009"
down_revision = "0008"

_STATES = "'queued', 'sent', 'confirmed', 'refused', 'failed', 'expired', 'cancelled'"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "command",
        sa.Column("number", LONG_ID, primary_key=True),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("meter_id", sa.Integer(), sa.ForeignKey("meter.id"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("bulk", sa.Text()),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("not_before", sa.DateTime()),
        sa.Column("expires_at", sa.DateTime()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("answer", sa.Text()),
        sa.UniqueConstraint("organisation_id", "id"),
        sa.CheckConstraint(f"state IN ({_STATES})", name="state"),
        sa.CheckConstraint("priority BETWEEN 0 AND 9", name="priority"),
        sa.Index("ix_command_meter_id_state", "meter_id", "state"),
        sa.Index("ix_command_organisation_id_bulk", "organisation_id", "bulk"),
        sa.Index("ix_command_organisation_id_number", "organisation_id", "number"),
    )
    op.create_table(
        "meter_key",
        sa.Column("meter_id", sa.Integer(), sa.ForeignKey("meter.id"), primary_key=True),
        sa.Column("role", sa.Text(), primary_key=True),
        sa.Column("generation", sa.Integer(), primary_key=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.Column("invocation_counter", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("role IN ('reader', 'management', 'master')", name="role"),
        sa.CheckConstraint("state IN ('wanted', 'in_force', 'replaced')", name="state"),
    )
    op.create_table(
        "gateway_recipient",
        sa.Column("token_id", sa.Integer(), sa.ForeignKey("bearer_token.id"), primary_key=True),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(), nullable=False),
    )
