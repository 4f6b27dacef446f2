"""Laws of backups: whole while others write, private, never over anything, and without any secret."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dlms_objects.program_folder import AlreadyThereError
from headend.authentication import new_token, store_token
from headend.backups import BackupError, back_up
from headend.courier_keys import store
from headend.database import transaction
from headend.ingest import ingest
from headend.permissions import Role
from headend.place import PostgresServer
from headend.root_key import RootKey, create
from headend.verify.whole import verify
from tests.support.courier_meter import fresh_credentials
from tests.support.headend_books import CNY, make_database, usual_journal


def test_a_copy_is_whole_while_the_head_end_writes(tmp_path: Path) -> None:
    place, copy = make_database(tmp_path / "headend.sqlite"), tmp_path / "copy"
    with transaction(place) as connection:
        ingest(connection, [usual_journal().batch(1, 3)])
    with transaction(place) as connection:
        ingest(connection, [usual_journal().batch()])
        back_up(place, copy)
    assert copy.stat().st_mode & 0o777 == 0o600
    verified = verify(copy)
    assert (verified.entries, verified.findings.kept) == (3, [])


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    place, copy = make_database(tmp_path / "headend.sqlite"), tmp_path / "copy"
    copy.write_text("mine")
    with pytest.raises(AlreadyThereError):
        back_up(place, copy)
    assert copy.read_text() == "mine"


def test_a_damaged_ledger_leaves_no_copy(tmp_path: Path) -> None:
    place, copy = tmp_path / "headend.sqlite", tmp_path / "copy"
    place.write_bytes(b"no database at all, but long enough" * 200)
    with pytest.raises(BackupError, match="cannot be backed up"):
        back_up(place, copy)
    assert not copy.exists()


def test_postgres_is_told_its_own_tool(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="pg_dump"):
        back_up(PostgresServer(url="postgresql://db/books"), tmp_path / "copy")


def test_no_secret_is_in_a_copy(tmp_path: Path) -> None:
    place, copy, token, told = make_database(tmp_path / "h"), tmp_path / "copy", new_token(), fresh_credentials()
    create(tmp_path / "root.key")
    with transaction(place) as connection:
        store(connection, RootKey.load(tmp_path / "root.key"), told, CNY)
        store_token(connection, name="canary-token", role=Role.GATEWAY, token=token)
    back_up(place, copy)
    octets = copy.read_bytes()
    assert b"canary-token" in octets
    root = (tmp_path / "root.key").read_bytes().strip()
    for secret in (root, token.encode(), told.encryption_key, told.authentication_key):
        assert secret not in octets
        assert secret.hex().encode() not in octets.lower()
    with closing(sqlite3.connect(copy)) as opened:
        assert opened.execute("SELECT count(*) FROM courier_key").fetchone() == (1,)
