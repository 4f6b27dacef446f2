"""Laws of making a head-end's folder."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from deploy.configuration import load
from dlms_objects.program_folder import AlreadyThereError
from headend.authentication import caller_of
from headend.config import HeadendConfig, MeterConfig
from headend.database import Database, transaction
from headend.engines import DatabaseUnusableError
from headend.permissions import Role
from headend.place import PostgresServer
from headend.schema import bearer_token, meter
from headend.setup import TOKEN_NAMES, add_meter, check, create
from tests.support.postgres import postgres_world

FIRST = MeterConfig(system_title="4D50520000000001", household='一号楼 "301"\\')
SECOND = MeterConfig(system_title="4D50520000000002", household="Unit 2", language="en", time_zone="Europe/Paris")

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def loaded(directory: Path) -> HeadendConfig:
    return load(directory / "headend.toml", HeadendConfig)


def test_what_is_made_can_be_loaded_and_started(tmp_path: Path) -> None:
    made = create(tmp_path / "a" / "b", meters=[FIRST, SECOND], listen="127.0.0.1:9999")
    config = loaded(tmp_path / "a" / "b")
    assert config.meter == (FIRST, SECOND)
    assert (config.listen, config.database) == ("127.0.0.1:9999", made.database)
    assert check(config).meters == 2
    Database(config.database, write_queue=1).close()


def test_tokens_are_private_and_the_database_keeps_only_their_hashes(tmp_path: Path) -> None:
    made = create(tmp_path)
    tokens = {Role.GATEWAY: made.gateway_token, Role.ADMIN: made.admin_token, Role.AUDITOR: made.auditor_token}
    with transaction(made.database) as connection:
        for role, path in tokens.items():
            assert path.stat().st_mode & 0o777 == 0o600
            bearer = caller_of(connection, path.read_text().strip(), now=NOW)
            assert bearer is not None
            assert (bearer.role, bearer.name) == (role, role.value)
        stored = repr(connection.execute(select(bearer_token)).all())
    assert made.database.stat().st_mode & 0o777 == 0o600
    for path in tokens.values():
        assert path.read_text().strip() not in stored
        assert path.read_text().strip().encode() not in made.database.read_bytes()


@pytest.mark.parametrize("name", ["headend.toml", "headend.sqlite", "root.key", "gateway.token", "auditor.token"])
def test_nothing_that_is_there_is_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(AlreadyThereError, match=name):
        create(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_the_configuration_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headend.setup.migrate", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        create(tmp_path)
    assert not (tmp_path / "headend.toml").exists()


def test_a_meter_is_added_and_brought_up_to_date(tmp_path: Path) -> None:
    create(tmp_path, meters=[FIRST])
    config = loaded(tmp_path)
    add_meter(config, SECOND)
    add_meter(config, SECOND.model_copy(update={"household": "Unit 2b"}))
    with transaction(config.database) as connection:
        assert connection.execute(select(meter.c.household)).scalars().all() == ["Unit 2b"]
    assert check(config).meters == 2


def test_a_check_changes_nothing(tmp_path: Path) -> None:
    create(tmp_path, meters=[FIRST])
    config = loaded(tmp_path)
    check(config)
    with transaction(config.database) as connection:
        assert connection.execute(select(meter)).all() == []


def test_a_check_says_what_is_wrong(tmp_path: Path) -> None:
    create(tmp_path)
    config = loaded(tmp_path)
    config.database.unlink()
    with pytest.raises(DatabaseUnusableError, match="no database"):
        check(config)


def test_the_file_explains_itself(tmp_path: Path) -> None:
    text = create(tmp_path).config.read_text()
    assert tomllib.loads(text) == {
        "listen": "127.0.0.1:8460",
        "database": "headend.sqlite",
        "root_key_file": "root.key",
    }
    assert text.startswith("# A MeterPurse head-end.")


def test_a_head_end_is_made_on_postgresql_once(tmp_path: Path) -> None:
    with postgres_world() as world:
        place = world.make()
        made = create(tmp_path / "h", meters=[FIRST], listen="127.0.0.1:0", database=place)
        config = loaded(tmp_path / "h")
        assert (made.database, config.database) == (place, place)
        assert check(config).meters == 1
        add_meter(config, SECOND)
        assert check(config).meters == 2
        with pytest.raises(AlreadyThereError, match="holds the books of a head-end already"):
            create(tmp_path / "again", database=place)
        assert not (tmp_path / "again").exists()
        with transaction(place) as connection:
            assert len(connection.execute(select(bearer_token)).all()) == len(TOKEN_NAMES)


def test_a_server_that_is_away_leaves_no_folder_behind(tmp_path: Path) -> None:
    away = PostgresServer.parse("postgresql://meterpurse@127.0.0.1:1/books")
    with pytest.raises(DatabaseUnusableError, match="refused"):
        create(tmp_path / "h", database=away)
    assert not (tmp_path / "h").exists()
