"""The step of organisations: what was there belongs to the first one, readers are auditors, guards stay."""

from alembic import command
from sqlalchemy import text

from headend.database import _alembic, migrate, transaction
from headend.engines import Purpose
from headend.migrations.versions import revision_0008
from headend.place import Place

METER = (
    "INSERT INTO meter (id, system_title, household, language, time_zone, sequence, digest, balance_minor, "
    "event_number) VALUES (1, 'x', '', 'en', 'UTC', 1, :digest, 5, 0)"
)
BEFORE = (
    "INSERT INTO account (id, name, currency_code, currency_scale) VALUES (1, 'a', 'CNY', -2)",
    "INSERT INTO unknown_meter VALUES ('y', 1, 2)",
)


def test_it_follows_the_one_before() -> None:
    assert (revision_0008.revision, revision_0008.down_revision) == ("0008", "0007")


def test_what_was_there_stays_and_has_an_owner(empty: Place) -> None:
    with transaction(empty, Purpose.MIGRATE) as connection:
        command.upgrade(_alembic(connection), "0007")
        connection.execute(text(METER), {"digest": bytes(16)})
        for statement in BEFORE:
            connection.execute(text(statement))
        connection.execute(
            text(
                "INSERT INTO entry (meter_id, sequence, kind, fee_item, amount_minor, balance_minor, row) "
                "VALUES (1, 1, 2, 0, 5, 5, :row)"
            ),
            {"row": bytes(98)},
        )
        connection.execute(text("INSERT INTO posting VALUES (1, 1, 0, 1, 5)"))
        for number, role in ((1, "gateway"), (2, "reader")):
            told = {"id": number, "role": role, "digest": bytes([number]) * 32}
            connection.execute(
                text("INSERT INTO bearer_token (id, name, role, digest) VALUES (:id, :role, :role, :digest)"), told
            )
        connection.execute(text("INSERT INTO gateway_status VALUES (1, 'now', '{}')"))
    with transaction(empty, Purpose.MIGRATE) as connection:
        migrate(connection)
    with transaction(empty) as connection:
        for table in ("meter", "account", "bearer_token", "unknown_meter"):
            owners = connection.execute(text(f"SELECT DISTINCT organisation_id FROM {table}")).scalars().all()
            assert owners == [1], table
        assert connection.execute(text("SELECT role FROM bearer_token ORDER BY id")).scalars().all() == [
            "gateway",
            "auditor",
        ]
        assert connection.execute(text("SELECT sequence FROM posting")).scalars().all() == [1]
        assert connection.execute(text("SELECT token_id FROM gateway_status")).scalars().all() == [1]
