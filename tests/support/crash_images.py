"""What a power cut may leave of a disk: images rebuilt from its recorded operations, under four models.

A file is its content and its name apart. Content counts as durable after a sync of the file, names (made, renamed,
deleted) after a sync of their folder; what is not durable may be there, wholly or in part, or not.
"""

import posixpath
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from tests.support.recorded_disk import DiskOperation, Kind

SECTOR = 512
_NAMING = (Kind.CREATE, Kind.MAKE_FOLDER, Kind.RENAME, Kind.DELETE)


class Model(Enum):
    """What becomes of operations that were not synced."""

    DROPPED = "unsynced operations dropped"
    SUBSET = "a random subset of them"
    TORN = "all up to one that is torn at 512 octets"
    REORDERED = "some of them, in any order"


MODELS = tuple(Model)


@dataclass(frozen=True, slots=True)
class Image:
    """The files after a cut; `key` is equal for two images of one recording only when the files are."""

    files: Mapping[str, bytes]
    key: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Pending:
    """An operation on a file (`inode`; 0: a folder) that is not durable yet."""

    number: int
    operation: DiskOperation
    inode: int


class CrashingDisk:
    """The disk as it goes through its operations; at any of them the power may be cut."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """Begin with these files, whole and durable."""
        self._names: dict[str, int] = {}
        self._contents: dict[int, bytearray] = {}
        for number, (name, octets) in enumerate(files.items(), start=1):
            self._names[name], self._contents[number] = number, bytearray(octets)
            self._names |= {folder: 0 for folder in _folders(name)}
        self._durable_names = dict(self._names)
        self._pending: list[_Pending] = []
        self._inodes, self._numbers, self._generation = len(files), 0, 0

    def carry_out(self, operation: DiskOperation) -> None:
        """One operation further."""
        kind, name = operation.kind, operation.name
        if kind is Kind.SYNC:
            inode = self._names[name]
            self._settle([one for one in self._pending if one.inode == inode and one.operation.kind not in _NAMING])
        elif kind is Kind.SYNC_FOLDER:
            self._settle([one for one in self._pending if one.operation.kind in _NAMING and _is_in(name, one)])
        else:
            self._numbers += 1
            self._pending.append(_Pending(self._numbers, operation, self._inode_after(operation)))

    def cut(self, model: Model, dice: random.Random) -> Image:
        """What is left when the power is cut now."""
        kept, last = self._kept(model, dice)
        names = dict(self._durable_names)
        contents = {number: bytearray(octets) for number, octets in self._contents.items()}
        for one in kept:
            _apply(one, names, contents)
        sectors: tuple[int, ...] = ()
        if last is not None:
            sectors = _tear(last, contents, dice)
        key = (self._generation, tuple(one.number for one in kept), last.number if last else 0, sectors)
        files = {
            name: bytes(contents.get(inode, b""))
            for name, inode in names.items()
            if inode and all(folder in names for folder in _folders(name))
        }
        return Image(files, key)

    def _kept(self, model: Model, dice: random.Random) -> tuple[list[_Pending], _Pending | None]:
        pending = self._pending
        match model:
            case Model.DROPPED:
                return [], None
            case Model.SUBSET:
                return [one for one in pending if dice.getrandbits(1)], None
            case Model.REORDERED:
                return dice.sample(pending, dice.randint(0, len(pending))), None
        if not pending:
            return [], None
        at = dice.randrange(len(pending))
        torn = pending[at]
        return pending[:at], torn if torn.operation.kind is Kind.WRITE else None

    def _inode_after(self, operation: DiskOperation) -> int:
        name = operation.name
        match operation.kind:
            case Kind.CREATE:
                self._inodes += 1
                self._names[name] = self._inodes
            case Kind.MAKE_FOLDER:
                self._names[name] = 0
            case Kind.RENAME:
                self._names[operation.target] = self._names.pop(name)
                return self._names[operation.target]
            case Kind.DELETE:
                return self._names.pop(name)
        return self._names[name]

    def _settle(self, settled: list[_Pending]) -> None:
        if settled:
            self._generation += 1
            for one in settled:
                _apply(one, self._durable_names, self._contents)
            gone = {one.number for one in settled}
            self._pending = [one for one in self._pending if one.number not in gone]


def _apply(one: _Pending, names: dict[str, int], contents: dict[int, bytearray]) -> None:
    operation = one.operation
    match operation.kind:
        case Kind.CREATE | Kind.MAKE_FOLDER:
            names[operation.name] = one.inode
        case Kind.DELETE:
            if names.get(operation.name) == one.inode:
                del names[operation.name]
        case Kind.RENAME:
            if names.get(operation.name) == one.inode:
                del names[operation.name]
            names[operation.target] = one.inode
        case Kind.TRUNCATE:
            del contents.setdefault(one.inode, bytearray())[operation.offset :]
        case Kind.WRITE:
            _write(contents.setdefault(one.inode, bytearray()), operation.offset, operation.octets)


def _write(content: bytearray, offset: int, octets: bytes) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(octets)] = octets


def _tear(one: _Pending, contents: dict[int, bytearray], dice: random.Random) -> tuple[int, ...]:
    """Write some of the sectors of a write, those of the disk; which."""
    begin, octets = one.operation.offset, one.operation.octets
    end = begin + len(octets)
    kept = tuple(sector for sector in range(begin // SECTOR, -(-end // SECTOR)) if dice.getrandbits(1))
    content = contents.setdefault(one.inode, bytearray())
    for sector in kept:
        low, high = max(begin, sector * SECTOR), min(end, (sector + 1) * SECTOR)
        _write(content, low, octets[low - begin : high - begin])
    return kept


def _is_in(folder: str, one: _Pending) -> bool:
    places = (one.operation.name, one.operation.target or one.operation.name)
    return folder in [posixpath.dirname(place) or "." for place in places]


def _folders(name: str) -> Iterator[str]:
    while name := posixpath.dirname(name):
        yield name
