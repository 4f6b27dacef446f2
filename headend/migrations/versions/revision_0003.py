"""Alarms, the deliveries of notices and alarms to recipients, and how far these have been planned."""

import sqlalchemy as sa
from alembic import op

from headend.column_types import LONG_ID

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables; notices written before this step are in the mailbox only and are never sent."""
    op.create_table(
        "alarm",
        sa.Column("id", LONG_ID, primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.DateTime(), server_default=sa.func.current_timestamp(), nullable=False),
        sa.UniqueConstraint("kind", "subject", "number", name="uq_alarm_kind_subject_number"),
    )
    op.create_table(
        "delivery",
        sa.Column("id", LONG_ID, primary_key=True),
        sa.Column("notice_id", LONG_ID, sa.ForeignKey("notice.id", name="fk_delivery_notice_id")),
        sa.Column("alarm_id", LONG_ID, sa.ForeignKey("alarm.id", name="fk_delivery_alarm_id")),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("is_digest", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("planned_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.UniqueConstraint("notice_id", "recipient", "channel", name="uq_delivery_notice_id_recipient_channel"),
        sa.UniqueConstraint("alarm_id", "recipient", "channel", name="uq_delivery_alarm_id_recipient_channel"),
        sa.CheckConstraint("(notice_id IS NULL) <> (alarm_id IS NULL)", name="one_subject"),
        sa.CheckConstraint("state IN ('pending', 'sending', 'sent', 'failed', 'dead')", name="state"),
    )
    op.create_index("ix_delivery_channel_state_due_at", "delivery", ["channel", "state", "due_at"])
    op.create_table(
        "delivery_plan",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("notice_id", sa.BigInteger(), nullable=False),
        sa.Column("alarm_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name="one_row"),
    )
    op.execute(
        "INSERT INTO delivery_plan (id, notice_id, alarm_id) SELECT 1, coalesce(max(notice.id), 0), 0 FROM notice"
    )
