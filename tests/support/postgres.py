"""A real PostgreSQL 15 for tests, from Debian's packages, in a folder of its own and as an unprivileged user.

`PostgresWorld` is one server process tree, which can be killed and started again on the same files. Durable writes
(`fsync`) are off unless a test is about them.
"""

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psycopg
import pytest
from psycopg import sql

from deploy.demo.influxdb import free_port
from headend.place import PostgresServer

USER = "meterpurse"
START_TIMEOUT_S = 60.0
POLL_S = 0.02

_PROGRAMS = (Path("/usr/lib/postgresql/15/bin"), Path("/usr/lib/postgresql/16/bin"))
_UNPRIVILEGED = "postgres"
_QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
_SETTINGS = ("listen_addresses=127.0.0.1", "max_connections=60", "log_min_messages=warning")


def program(name: str) -> str | None:
    """The path of a program of PostgreSQL, or None."""
    return next((str(folder / name) for folder in _PROGRAMS if (folder / name).exists()), shutil.which(name))


def require_postgres() -> None:
    """Go on only where PostgreSQL is installed; in CI (`CI=true`) it must be."""
    if program("initdb") is None or program("postgres") is None:
        missing = "PostgreSQL is not installed (Debian package: postgresql)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)


class PostgresWorld:
    """One server with its files; `make` gives it databases."""

    def __init__(self, folder: Path, port: int, *, is_durable: bool) -> None:
        """Use `started`."""
        self._folder = folder
        self.port = port
        self._settings = (*_SETTINGS, f"unix_socket_directories={folder}", *(() if is_durable else _QUICK))
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)

    @classmethod
    def started(cls, *, is_durable: bool = False) -> Self:
        """A fresh server on a free loopback port, up."""
        folder = Path(tempfile.mkdtemp(prefix="meterpurse-postgres-"))
        user = _user()
        if user is not None:
            shutil.chown(folder, user)
        initdb = ("--auth=trust", f"--username={USER}", "--encoding=UTF8", "--locale=C", "--no-sync")
        world = cls(folder, free_port(), is_durable=is_durable)
        subprocess.run(
            [program("initdb") or "initdb", "-D", str(folder / "data"), *initdb],
            check=True,
            capture_output=True,
            cwd="/",
            user=user,
        )
        world.start()
        return world

    def start(self) -> None:
        """Start it and wait until it answers; one that was killed recovers first, when its last process has gone."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._is_started() and time.monotonic() < deadline:
            time.sleep(POLL_S)
        if self._process is None:
            raise AssertionError((self._folder / "log").read_text(errors="replace")[-2000:])

    def _is_started(self) -> bool:
        options = [part for setting in self._settings for part in ("-c", setting)]
        with (self._folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [program("postgres") or "postgres", "-D", str(self._folder / "data"), "-p", str(self.port), *options],
                stdout=log,
                stderr=log,
                cwd="/",
                user=_user(),
            )
        while process.poll() is None:
            try:
                psycopg.connect(self.server("postgres").url, connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(POLL_S)
            else:
                self._process = process
                return True
        return False

    def kill(self) -> None:
        """End all its processes as a power cut would: the postmaster and its children, each a session of its own."""
        if self._process is not None:
            for process_id in self.process_ids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process_id, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def process_ids(self) -> list[int]:
        """The postmaster, then its children."""
        if self._process is None:
            return []
        parent = self._process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return [parent, *map(int, children)]

    def remove(self) -> None:
        """End it and delete its files."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def server(self, database: str) -> PostgresServer:
        """The place of one of its databases."""
        return PostgresServer(url=f"postgresql://{USER}@127.0.0.1:{self.port}/{database}")

    def make(self, *, like: PostgresServer | None = None) -> PostgresServer:
        """A new database: empty, or a copy of one to which nobody is connected."""
        name = f"books_{next(self._numbers)}"
        template = "template1" if like is None else like.url.rpartition("/")[2]
        make = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
            sql.Identifier(name), sql.Identifier(template)
        )
        with psycopg.connect(self.server("postgres").url, autocommit=True) as connection:
            connection.execute(make)
        return self.server(name)


@contextmanager
def postgres_world(*, is_durable: bool = False) -> Iterator[PostgresWorld]:
    """A server, gone at the end."""
    require_postgres()
    world = PostgresWorld.started(is_durable=is_durable)
    try:
        yield world
    finally:
        world.remove()


def _user() -> str | None:
    """As whom PostgreSQL runs: it refuses to be root."""
    return _UNPRIVILEGED if os.geteuid() == 0 else None
