"""Where the ledger lives: an SQLite file, or a database on a PostgreSQL server, as `headend.toml` names it.

A PostgreSQL URL is libpq's own, with all its parameters (`sslmode`, `passfile`, ...), so what its manual says holds
here; only a password is not taken, for it would stand in a file that many may read. Nothing here connects. Imported by
`config` and `engines`.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import ValidationInfo

from dlms_objects.program_folder import counted_from_folder

SCHEMES = ("postgresql://", "postgres://")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresServer:
    """A database on a PostgreSQL server. `url` holds no password; libpq finds one in the `passfile`, or ~/.pgpass."""

    url: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a URL such as `postgresql://meterpurse@db.example.org/meterpurse`; ValueError when it is none."""
        try:
            told = conninfo_to_dict(url)
        except psycopg.ProgrammingError as error:
            raise ValueError(f"not a PostgreSQL URL: {str(error).strip()}") from None
        if "password" in told:
            raise ValueError(
                "a password does not belong here: put it into ~/.pgpass, or into a file of that form "
                "and end the URL with ?passfile=FILE"
            )
        if not told.get("dbname"):
            raise ValueError("the URL names no database: postgresql://USER@HOST/DATABASE")
        return cls(url=url)

    def __str__(self) -> str:
        """The URL."""
        return self.url

    def parameters(self) -> dict[str, str]:
        """The parameters of a connection, as libpq names them; ValueError when the `passfile` could not be used.

        libpq passes over a passfile that is missing or open to others, and fails later for want of a password.
        """
        told = {name: str(value) for name, value in conninfo_to_dict(self.url).items() if value is not None}
        if "passfile" in told:
            _require_private(Path(told["passfile"]))
        return told


Place: TypeAlias = Path | PostgresServer
"""The path of an SQLite file, or a database on a server."""


def place(told: object, context: ValidationInfo) -> object:
    """A validator of a settings model: the place that a text names; a path counts from the folder of the file."""
    if isinstance(told, Path):
        return counted_from_folder(told, context)
    if not isinstance(told, str):
        return told
    if told.startswith(SCHEMES):
        return PostgresServer.parse(told)
    if "://" in told:
        raise ValueError("the path of an SQLite file is wanted, or a URL that begins with postgresql://")
    return counted_from_folder(Path(told), context)


def _require_private(passfile: Path) -> None:
    try:
        mode = passfile.stat().st_mode
    except OSError as error:
        raise ValueError(f"the passfile {passfile} cannot be read: {error.strerror}") from None
    if not os.access(passfile, os.R_OK):
        raise ValueError(f"the passfile {passfile} cannot be read: it is another user's")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ValueError(f"the passfile {passfile} is open to other users, so libpq would not use it: chmod 600")
