"""The step of lean notices: what was told and stated before stays as it is."""

from alembic import command
from sqlalchemy import text

from headend.database import _alembic, migrate, transaction
from headend.engines import Purpose
from headend.migrations.versions import revision_0007
from headend.place import Place

METER = (
    "INSERT INTO meter (id, system_title, household, language, time_zone, sequence, digest, balance_minor, "
    "event_number) VALUES (:id, :id, '', 'en', 'UTC', 9, :digest, 0, 0)"
)
NOTICE = "INSERT INTO notice (meter_id, kind, number, facts) VALUES (1, 'statement', :number, :facts)"


def test_it_follows_the_one_before() -> None:
    assert (revision_0007.revision, revision_0007.down_revision) == ("0007", "0006")


def test_what_was_stated_is_not_stated_again(empty: Place) -> None:
    with transaction(empty, Purpose.MIGRATE) as connection:
        command.upgrade(_alembic(connection), "0006")
        for number in (1, 2):
            told = {"id": str(number) if connection.dialect.name == "sqlite" else number, "digest": bytes(16)}
            connection.execute(text(METER.replace("(:id, :id", "(:id, CAST(:id AS TEXT)")), told)
        for number, through in ((202601, 3), (202602, 7)):
            facts = f'{{"time":"","month":"x","through_sequence":{through}}}'
            connection.execute(text(NOTICE), {"number": number, "facts": facts})
        migrate(connection)
        stated = connection.execute(text("SELECT stated_sequence FROM meter ORDER BY id")).scalars().all()
    assert stated == [7, 0]
