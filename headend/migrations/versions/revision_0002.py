"""The outbox of points on their way to InfluxDB, the points a server refused, and how far delivery is."""

import sqlalchemy as sa
from alembic import op

from headend.column_types import LONG_ID

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables of the sink; it begins turned off."""
    op.create_table(
        "point_bundle",
        sa.Column("id", LONG_ID, primary_key=True),
        sa.Column("queued_at", sa.DateTime(), server_default=sa.func.current_timestamp(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.CheckConstraint("points >= 1", name="points"),
    )
    op.create_table(
        "refused_point",
        sa.Column("id", LONG_ID, primary_key=True),
        sa.Column("refused_at", sa.DateTime(), server_default=sa.func.current_timestamp(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
    )
    op.create_table(
        "point_sink",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("delivered", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at", sa.DateTime()),
        sa.Column("failure", sa.Text()),
        sa.Column("failed_at", sa.DateTime()),
        sa.CheckConstraint("id = 1", name="one_row"),
        sa.CheckConstraint("wanted IN (0, 1)", name="wanted"),
    )
    op.execute("INSERT INTO point_sink (id, wanted, delivered) VALUES (1, 0, 0)")
