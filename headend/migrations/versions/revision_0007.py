"""Entries keep the revision of their fee item's name, so that their notices need no facts; meters, what was stated."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_meter = sa.table("meter", sa.column("id", sa.Integer()), sa.column("stated_sequence", sa.BigInteger()))
_notice = sa.table("notice", *map(sa.column, ("meter_id", "kind", "number", "facts")))


def upgrade() -> None:
    """Add the columns; notices that have their facts keep them."""
    op.add_column("meter", sa.Column("stated_sequence", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("entry", sa.Column("item_revision", sa.BigInteger()))
    statements = op.get_bind().execute(sa.select(_notice).where(_notice.c.kind == "statement"))
    stated: dict[int, int] = {}
    for row in statements:
        through: int = json.loads(row.facts)["through_sequence"]
        stated[row.meter_id] = max(through, stated.get(row.meter_id, 0))
    for meter_id, sequence in stated.items():
        op.execute(_meter.update().where(_meter.c.id == meter_id).values(stated_sequence=sequence))
