"""The step of settlement."""

from sqlalchemy import Connection, inspect

from headend.migrations.versions import revision_0010


def test_it_follows_the_one_before() -> None:
    assert (revision_0010.revision, revision_0010.down_revision) == ("0010", "0009")


def test_an_entry_is_settled_once(connection: Connection) -> None:
    key = inspect(connection).get_pk_constraint("settlement_line")["constrained_columns"]
    assert key == ["meter_id", "sequence"]
