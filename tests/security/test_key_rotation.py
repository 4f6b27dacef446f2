"""Key rotation cut at every step, on either side, never locks the meter out.

The machinery counts the steps of a rotation: every write, sync and rename of the client, all that goes over the line,
and the meter's transaction. Then the rotation is made once for each step, and the power of both sides fails there: the
client has what lies in its folder, the meter what its file holds. Afterwards the client opens with what it has, old or
new keys, and a rotation made again ends well.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from twisted.internet.error import ConnectionAborted

from dlms_objects import program_folder as folder_module
from dlms_objects.classes.catalogue import Role
from dlms_objects.errors import MeterPurseError
from dlms_objects.meter.config import MASTER_KEY_NAME
from dlms_objects.meter.store import MeterStore
from dlms_objects.purse.outcome import EventCode
from dlms_objects.transport import credentials as credentials_module
from dlms_objects.transport import key_rotation as rotation_module
from dlms_objects.transport.client import MeterSession, client_parameters, open_session
from dlms_objects.transport.client_identity import load_identity
from dlms_objects.transport.credentials import MeterCredentials, load_credentials, load_master_key
from dlms_objects.transport.key_rotation import open_with_either, rotate, rotate_master
from tests.support.memory_network import MemoryTransport
from tests.support.meters import ENDPOINT, MeterWorld
from tests.support.twisted_testing import result_of, started

KINDS = ("management", "reader", "master_key")
EVERY_ROTATION_HAS = {
    "half a file written",
    "statement of a transaction",
    "after the commit",
    *(f"{side} {name}" for side in ("before", "after") for name in ("rename", "replace", "save_keys", "write")),
}


class PowerCut(BaseException):
    """Both sides end here. Not an Exception: no seam may survive it."""


class Power:
    """Counts steps, and fails at one of them."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.fails_at = -1
        self.is_on = True

    def step(self, name: str) -> None:
        """One step; from the failure on nothing works any more."""
        if not self.is_on:
            raise PowerCut
        self.steps.append(name)
        if len(self.steps) - 1 == self.fails_at:
            self.is_on = False
            raise PowerCut

    def again(self, fails_at: int = -1) -> None:
        """Begin to count anew."""
        self.steps, self.fails_at, self.is_on = [], fails_at, True


class Household:
    """A meter, and a client with a folder of its own: both go on from what is on their disks."""

    def __init__(self, folder: Path, power: Power) -> None:
        self.folder, self.power = folder, power
        self.meter = MeterWorld(folder / "meter")
        self.client = folder / "client"
        shutil.copytree(folder / "meter" / "keys", self.client)
        self.cuts = 0

    def file(self, kind: str) -> Path:
        return self.client / f"{kind}.toml"

    async def open(self, credentials: MeterCredentials) -> MeterSession:
        """A session of this client, with durable counters."""
        identity = load_identity(self.client / "identity.sqlite", credentials)
        parameters = client_parameters(credentials, identity)
        return await open_session(self.meter.reactor, ENDPOINT, parameters)

    def rotate(self, kind: str) -> None:
        """Rotate, until it is done or the power fails."""
        if kind == "master_key":
            work = rotate_master(self.file("management"), self.file(kind), self.open)
        else:
            master = load_master_key(self.file("master_key"))
            work = rotate(self.file("management"), self.file(kind), master, self.open)
        under_way = started(work)
        try:
            self.meter.reactor.settle()
        except PowerCut:
            under_way.addErrback(lambda _failure: None)  # nobody is left to be told
            raise
        result_of(under_way)

    def cut(self) -> None:
        """The power fails and comes back. Whatever the client's process still wants to do, it cannot."""
        for line in list(self.meter.reactor.lines):
            line.client.outgoing.clear()
            line.client.lose(ConnectionAborted())
        self.power.again()
        self.cuts += 1
        self.meter.cut_power(self.folder / f"meter-{self.cuts}")

    def opens(self, kind: str) -> None:
        """Open with what is there, as anyone does who may have been cut off."""
        self.meter.reactor.run(self.meter.reactor.run(open_with_either(self.file(kind), self.open)).release())

    def key_changes(self) -> int:
        rows = self.meter.sql("SELECT count(*) FROM event WHERE code = ?", EventCode.KEY_CHANGED)
        return int(rows[0][0])


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: hundreds of meters are made, and each syncs its files."""
    memory = Path("/dev/shm")
    if not memory.is_dir():
        yield tmp_path
        return
    with TemporaryDirectory(dir=memory) as name:
        yield Path(name)


@contextmanager
def powered(power: Power) -> Iterator[None]:
    """Put a step before and after everything that reaches a disk or a line."""
    with pytest.MonkeyPatch.context() as patch:

        def around(place: Any, name: str) -> None:
            genuine = getattr(place, name)

            def stepping(*arguments: Any, **options: Any) -> Any:
                power.step(f"before {name}")
                result = genuine(*arguments, **options)
                power.step(f"after {name}")
                return result

            patch.setattr(place, name, stepping)

        for place, name in (
            (rotation_module, "sync_to_disk"),
            (folder_module, "sync_to_disk"),
            (rotation_module.os, "rename"),
            (rotation_module.os, "replace"),
            (MeterStore, "save_keys"),
            (MemoryTransport, "write"),
        ):
            around(place, name)
        genuine_write, genuine_change = folder_module.write_new, MeterStore._change

        def write_new(path: Path, text: str, *, mode: int) -> None:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            try:
                os.write(descriptor, text[: len(text) // 2].encode())
                power.step("half a file written")
            finally:
                os.close(descriptor)
            path.unlink()
            genuine_write(path, text, mode=mode)

        def change(store: MeterStore, statements: Any) -> None:
            def watched() -> Iterator[Any]:
                for statement in statements:
                    yield statement
                    power.step("statement of a transaction")

            genuine_change(store, watched())
            power.step("after the commit")

        patch.setattr(credentials_module, "write_new", write_new)
        patch.setattr(MeterStore, "_change", change)
        yield


def steps_of(kind: str, folder: Path) -> list[str]:
    """Every step of a rotation that nothing disturbs."""
    power = Power()
    household = Household(folder, power)
    with powered(power):
        power.again()
        household.rotate(kind)
    household.meter.meter.close()
    return power.steps


def check_rotation(kind: str, fails_at: int, folder: Path) -> None:
    """The law, for a power cut at one step."""
    power = Power()
    household = Household(folder, power)
    old = load_credentials(household.file("management"))
    with powered(power):
        power.again(fails_at)
        with pytest.raises(PowerCut):
            household.rotate(kind)
        household.cut()
        for name in ("management", "reader"):
            household.opens(name)
        household.rotate(kind)
        household.rotate(kind)
        for name in ("management", "reader"):
            household.opens(name)
    assert 2 <= household.key_changes() <= 3
    assert (load_credentials(household.file("management")) == old) is (kind != "management")
    assert sorted(path.name for path in household.client.glob("*.toml")) == [
        "courier.toml",
        "management.toml",
        "master_key.toml",
        "reader.toml",
        "resident.toml",
    ]
    household.meter.meter.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_rotation_cut_at_every_step_never_locks_the_meter_out(kind: str, folder: Path) -> None:
    steps = steps_of(kind, folder / "whole")
    assert set(steps) >= EVERY_ROTATION_HAS
    assert len(steps) > 30
    for fails_at in range(len(steps)):
        check_rotation(kind, fails_at, folder / str(fails_at))


def forgets_the_old_keys(path: Path, save: Any) -> None:
    """Writes the new keys over the old ones before the meter has heard of them."""
    draft = path.with_suffix(".draft.toml")
    draft.unlink(missing_ok=True)
    save(draft)
    os.replace(draft, path)
    shutil.copy(path, rotation_module.next_path(path))


def forgets_the_new_keys(path: Path, save: Any) -> None:
    """Keeps the new keys nowhere but in the memory of the process, until the end."""
    following = rotation_module.next_path(path)
    save(following)
    text = following.read_text()
    genuine = rotation_module.load_credentials

    def from_memory(asked: Path) -> MeterCredentials:
        if asked == following and not following.exists():
            following.write_text(text)
            following.chmod(0o600)
            try:
                return genuine(following)
            finally:
                following.unlink()
        return genuine(asked)

    following.unlink()
    rotation_module.load_credentials = from_memory  # type: ignore[attr-defined]


@pytest.mark.parametrize("fault", [forgets_the_old_keys, forgets_the_new_keys])
def test_a_rotation_that_keeps_one_pair_of_keys_only_is_found(
    fault: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation_module, "load_credentials", rotation_module.load_credentials)
    monkeypatch.setattr(rotation_module, "_prepare", fault)
    found = 0
    for fails_at in range(60):
        monkeypatch.setattr(rotation_module, "load_credentials", load_credentials)
        try:
            check_rotation("management", fails_at, folder / str(fails_at))
        except (MeterPurseError, AssertionError, OSError, pytest.fail.Exception):
            found += 1
    assert found


def test_a_meter_that_answers_before_its_commit_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It uses keys that a power cut takes back, while the client has already thrown the old ones away."""
    household = Household(folder, Power())
    monkeypatch.setattr(MeterStore, "save_keys", lambda *_: None)
    household.rotate("management")
    household.cut()
    with pytest.raises(MeterPurseError):
        household.opens("management")
    household.meter.meter.close()


def test_the_meter_s_own_keys_are_not_in_the_folder_of_its_clients(folder: Path) -> None:
    household = Household(folder, Power())
    household.rotate("management")
    for role in (Role.MANAGEMENT, Role.READER):
        assert (household.meter.folder / "keys" / f"{role}.toml").exists()
    assert (household.meter.folder / "keys" / MASTER_KEY_NAME).exists()
    household.cut()
    household.opens("management")
    household.meter.meter.close()
