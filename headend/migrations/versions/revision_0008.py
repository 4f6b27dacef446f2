"""Organisations and who may do what in them: what was there before belongs to the first organisation."""

import sqlalchemy as sa
from alembic import op

from headend.column_types import LONG_ID
from headend.migrations.append_only import refuse_changes

revision = "0008"
down_revision = "0007"

FIRST = "default"
_ROLES = "'gateway', 'admin', 'operator', 'payee', 'resident', 'auditor'"
_OWNED = ("meter", "account", "bearer_token", "unknown_meter")


def upgrade() -> None:
    """Create the tables, and give every meter, account and token to an organisation; readers become auditors."""
    op.create_table(
        "organisation",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False, unique=True),
    )
    op.execute(f"INSERT INTO organisation (name) VALUES ('{FIRST}')")
    for table in _OWNED:
        op.add_column(table, sa.Column("organisation_id", sa.Integer()))
        op.execute(f"UPDATE {table} SET organisation_id = 1")
    _meters_and_accounts()
    _tokens()
    _people()


def _meters_and_accounts() -> None:
    with op.batch_alter_table("meter") as meter:
        meter.alter_column("organisation_id", existing_type=sa.Integer(), nullable=False)
        meter.add_column(sa.Column("gateway_id", sa.Integer()))
        meter.create_foreign_key("fk_meter_organisation_id", "organisation", ["organisation_id"], ["id"])
        meter.create_foreign_key("fk_meter_gateway_id", "bearer_token", ["gateway_id"], ["id"])
        meter.create_index("ix_meter_organisation_id_system_title", ["organisation_id", "system_title"])
    with op.batch_alter_table("account") as account:
        account.alter_column("organisation_id", existing_type=sa.Integer(), nullable=False)
        account.create_foreign_key("fk_account_organisation_id", "organisation", ["organisation_id"], ["id"])
        account.drop_constraint("uq_account_name_currency_code_currency_scale", type_="unique")
        account.create_unique_constraint(
            "uq_account_organisation_id_name_currency_code_currency_scale",
            ["organisation_id", "name", "currency_code", "currency_scale"],
        )
    with op.batch_alter_table("unknown_meter") as unknown:
        unknown.alter_column("organisation_id", existing_type=sa.Integer(), nullable=False)
        unknown.drop_constraint("pk_unknown_meter", type_="primary")
        unknown.create_primary_key("pk_unknown_meter", ["organisation_id", "system_title"])
        unknown.create_foreign_key("fk_unknown_meter_organisation_id", "organisation", ["organisation_id"], ["id"])


def _tokens() -> None:
    with op.batch_alter_table("bearer_token") as token:
        token.drop_constraint(op.f("ck_bearer_token_role"), type_="check")
    op.execute("UPDATE bearer_token SET role = 'auditor' WHERE role = 'reader'")
    with op.batch_alter_table("bearer_token") as token:
        token.alter_column("organisation_id", existing_type=sa.Integer(), nullable=False)
        token.add_column(sa.Column("payee", sa.Text()))
        token.add_column(sa.Column("household", sa.Text()))
        token.add_column(sa.Column("revoked_at", sa.DateTime()))
        token.create_foreign_key("fk_bearer_token_organisation_id", "organisation", ["organisation_id"], ["id"])
        token.drop_constraint("uq_bearer_token_name", type_="unique")
        token.create_unique_constraint("uq_bearer_token_organisation_id_name", ["organisation_id", "name"])
        token.create_check_constraint("role", f"role IN ({_ROLES})")
        token.create_check_constraint("payee", "(role = 'payee') = (payee IS NOT NULL)")
        token.create_check_constraint("household", "(role = 'resident') = (household IS NOT NULL)")


def _people() -> None:
    op.create_table(
        "user_account",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("organisation_id", sa.Integer(), sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("login", sa.Text(), nullable=False, unique=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("payee", sa.Text()),
        sa.Column("household", sa.Text()),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("disabled_at", sa.DateTime()),
        sa.CheckConstraint(f"role IN ({_ROLES}) AND role <> 'gateway'", name="role"),
        sa.CheckConstraint("(role = 'payee') = (payee IS NOT NULL)", name="payee"),
        sa.CheckConstraint("(role = 'resident') = (household IS NOT NULL)", name="household"),
    )
    op.create_table(
        "login_session",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("user_account.id"), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
    )
    op.create_table(
        "given_answer",
        sa.Column("organisation_id", sa.Integer(), sa.ForeignKey("organisation.id"), primary_key=True),
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("request", sa.LargeBinary(32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(), nullable=False),
    )
    op.create_table(
        "audit_record",
        sa.Column("id", LONG_ID, primary_key=True),
        sa.Column("organisation_id", sa.Integer(), sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Index("ix_audit_record_organisation_id_id", "organisation_id", "id"),
    )
    refuse_changes("audit_record")
