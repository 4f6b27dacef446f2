"""The keys with which couriers' matters are sealed, one pair per meter, with their counters."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0003"


def upgrade() -> None:
    """Create the table; no meter has keys here yet."""
    op.create_table(
        "courier_key",
        sa.Column(
            "meter_id", sa.Integer(), sa.ForeignKey("meter.id", name="fk_courier_key_meter_id"), primary_key=True
        ),
        sa.Column("head_end_title", sa.Text(), nullable=False),
        sa.Column("key_name", sa.Text(), nullable=False),
        sa.Column("sealed_keys", sa.LargeBinary(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("last_batch", sa.LargeBinary(32)),
        sa.Column("last_answer", sa.LargeBinary()),
        sa.CheckConstraint("(last_batch IS NULL) = (last_answer IS NULL)", name="last"),
    )
