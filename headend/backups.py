"""A consistent copy of the ledger while the head-end runs. No root key and no token is in one, only hashes of tokens.

SQLite copies by its online backup. Imported by the composition root.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from dlms_objects.errors import LocalError
from dlms_objects.program_folder import AlreadyThereError, sync_to_disk
from headend.engines import DatabaseUnusableError
from headend.place import Place


class BackupError(LocalError):
    """A copy cannot be made; nothing of it is left."""


def back_up(place: Place, copy: Path) -> None:
    """Copy the SQLite ledger at `place` into a new file, mode 0600: whole, checked, and durable on return.

    AlreadyThereError when the file exists; BackupError when the copy cannot be made, or is not whole, or the ledger is
    on PostgreSQL.
    """
    if not isinstance(place, Path):
        raise BackupError("the ledger is on PostgreSQL: copy it by `pg_dump --format=custom` (docs/headend.md)")
    if not place.is_file():
        raise DatabaseUnusableError(f"no database at {place}; `init` makes one")
    try:
        os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise AlreadyThereError(f"{copy} exists already") from None
    try:
        _copy(place, copy)
        sync_to_disk(copy)
        sync_to_disk(copy.parent)
    except (sqlite3.Error, BackupError) as error:
        copy.unlink()
        raise BackupError(f"{place} cannot be backed up: {error}") from error
    except BaseException:
        copy.unlink()
        raise


def _copy(place: Path, copy: Path) -> None:
    # One step for all pages: no writer of the head-end can begin the copy anew.
    with closing(sqlite3.connect(place)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")
        said = [row[0] for row in target.execute("PRAGMA integrity_check(1)")]
    if said != ["ok"]:
        raise BackupError(" ".join(said))
