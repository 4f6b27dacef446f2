"""A disk that writes down every operation on it: SQLite's through a VFS of apsw, the others through `os`.

`RecordedDisk.recording()` swaps the connection factory of the stores and a handful of functions of `os`; what happens
below the folder meanwhile is in `operations`, in order. A `fault` may refuse an operation before it happens.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any
from unittest.mock import patch

import apsw

from dlms_objects.transport import durable_counters
from tests.support.apsw_connection import ApswConnection

FILE_KINDS_THAT_SYNC_THEIR_FOLDER = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL
_NOT_ON_DISK = ("-shm", ".lock")  # gone, or without content, after a power cut
_numbers = itertools.count(1)


class Kind(Enum):
    """What is done to a disk."""

    CREATE = "create"
    MAKE_FOLDER = "make folder"
    WRITE = "write"
    TRUNCATE = "truncate"
    SYNC = "sync"
    RENAME = "rename"
    DELETE = "delete"
    SYNC_FOLDER = "sync folder"


@dataclass(frozen=True, slots=True)
class DiskOperation:
    """One operation on the file of that name (below the folder); `offset` is the size of a truncated one."""

    kind: Kind
    name: str
    offset: int = 0
    octets: bytes = b""
    target: str = ""


Fault = Callable[[Kind], None]
"""Called before an operation of SQLite; raises apsw.FullError or apsw.IOError to refuse it."""


def no_fault(_kind: Kind) -> None:
    """Nothing is refused."""


class RecordedDisk:
    """The folder and what was done to it; `synchronous` overrules what the stores ask of SQLite."""

    def __init__(self, folder: Path, synchronous: str | None = None) -> None:
        """Files that are there now were there, whole and synced, before the first operation."""
        self.folder = folder.resolve()
        self.operations: list[DiskOperation] = []
        self.fault: Fault = no_fault
        self.before = self._contents()
        self._seen = dict(self.before)
        self._of_sqlite: set[str] = set()
        self._synchronous = synchronous
        self._vfs_name = f"recorded-{next(_numbers)}"
        self._vfs = _RecordingVfs(self._vfs_name, self)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Write down what happens meanwhile."""
        system = {name: getattr(os, name) for name in ("fsync", "rename", "unlink", "mkdir")}
        with ExitStack() as patches:
            patches.enter_context(patch.object(durable_counters, "connect", self._connect))
            for name, original in system.items():
                patches.enter_context(patch.object(os, name, self._around(name, original)))
            yield
            self.look()

    def record(self, kind: Kind, path: str, offset: int = 0, octets: bytes = b"", target: str = "") -> None:
        """Write one operation down, if it is on a file that a power cut leaves."""
        name = self._name(path)
        if name is not None and not name.endswith(_NOT_ON_DISK):
            self.operations.append(DiskOperation(kind, name, offset, octets, self._name(target) or ""))

    def opened_by_sqlite(self, path: str, *, syncs_folder: bool) -> bool:
        """Note a file that SQLite works on; True when its first sync also syncs its folder, as for a new WAL."""
        name = self._name(path)
        if name is None:
            return False
        self._of_sqlite.add(name)
        is_new = name not in self._seen
        if is_new:
            self._seen[name] = b""
            self.record(Kind.CREATE, path)
        return is_new and syncs_folder

    def deleted(self, path: str) -> None:
        """Write down that a name is gone."""
        name = self._name(path)
        if name is not None and self._seen.pop(name, None) is not None:
            self._of_sqlite.discard(name)
            self.record(Kind.DELETE, path)

    def look(self) -> None:
        """Write down what has changed in files that are not SQLite's: it is not synced yet."""
        for name, octets in self._contents().items():
            path = str(self.folder / name)
            if name in self._of_sqlite or self._seen.get(name) == octets:
                continue
            if name not in self._seen:
                self.record(Kind.CREATE, path)
            self.record(Kind.TRUNCATE, path, offset=0)
            self.record(Kind.WRITE, path, octets=octets)
            self._seen[name] = octets

    def _connect(self, uri: str, /, **_options: object) -> ApswConnection:
        return ApswConnection(uri, self._vfs_name, self._synchronous)

    def _contents(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and not path.name.endswith(_NOT_ON_DISK)
        }

    def _name(self, path: str) -> str | None:
        """The name below the folder ("." is the folder itself); None for anything elsewhere."""
        real = os.path.realpath(path) if path else ""
        if real != str(self.folder) and not real.startswith(f"{self.folder}/"):
            return None
        return os.path.relpath(real, self.folder)

    def _around(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def called(place: Any, *others: Any, **options: Any) -> Any:
            self.look()
            if name == "fsync":
                path = os.readlink(f"/proc/self/fd/{place}")
                original(place)
                self.record(Kind.SYNC_FOLDER if os.path.isdir(path) else Kind.SYNC, path)
                return
            original(place, *others, **options)
            if name == "mkdir":
                self.record(Kind.MAKE_FOLDER, str(place))
            elif name == "unlink":
                self.deleted(str(place))
            else:
                self._renamed(str(place), str(others[0]))

        return called

    def _renamed(self, path: str, target: str) -> None:
        old, new = self._name(path), self._name(target)
        if old is not None and new is not None and old in self._seen:
            self._seen[new] = self._seen.pop(old)
            if old in self._of_sqlite:
                self._of_sqlite = (self._of_sqlite - {old}) | {new}
            self.record(Kind.RENAME, path, target=target)


def folder_in_memory() -> Path | None:
    """A folder in memory where there is one: for stores by the thousand, whose syncs nobody needs; None: the usual."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() else None


class _RecordingFile(apsw.VFSFile):
    """A file of SQLite."""

    def __init__(self, disk: RecordedDisk, name: str | apsw.URIFilename, flags: list[int]) -> None:
        self._disk = disk
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else name
        syncs_folder = bool(flags[0] & FILE_KINDS_THAT_SYNC_THEIR_FOLDER)
        disk.look()
        super().__init__("", name, flags)
        self._syncs_folder = disk.opened_by_sqlite(self._path, syncs_folder=syncs_folder)

    def xWrite(self, octets: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.fault(Kind.WRITE)
        super().xWrite(octets, offset)
        self._disk.record(Kind.WRITE, self._path, offset, bytes(octets))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._disk.fault(Kind.TRUNCATE)
        super().xTruncate(size)
        self._disk.record(Kind.TRUNCATE, self._path, size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.fault(Kind.SYNC)
        super().xSync(flags)
        self._disk.record(Kind.SYNC, self._path)
        if self._syncs_folder:
            self._disk.record(Kind.SYNC_FOLDER, os.path.dirname(self._path))
            self._syncs_folder = False


class _RecordingVfs(apsw.VFS):
    """SQLite's file system, written down."""

    def __init__(self, name: str, disk: RecordedDisk) -> None:
        self._disk = disk
        super().__init__(name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        if name is None:
            return apsw.VFSFile("", name, flags)
        return _RecordingFile(self._disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001
        super().xDelete(filename, syncdir)
        self._disk.deleted(filename)
        if syncdir:
            self._disk.record(Kind.SYNC_FOLDER, os.path.dirname(filename))
