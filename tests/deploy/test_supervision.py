"""Laws of the watchdog: it is fed while work gets done, and starves when it does not; and the units systemd reads."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from deploy.supervision import Supervisor
from tests.support.sources import ROOT

PERIOD_S = 10
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))


class Manager:
    """systemd's end of the socket."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.setblocking(False)

    def heard(self) -> list[str]:
        texts = []
        while True:
            try:
                texts.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return texts

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    abstract = f"@meterpurse-test-{os.getpid()}"
    manager = Manager(str(tmp_path / "notify") if request.param == "path" else abstract)
    yield manager
    manager.close()


def supervisor(manager: Manager, **environment: str) -> Supervisor:
    told = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": str(PERIOD_S * 1_000_000)}
    return Supervisor(told | environment)


def test_reloading_is_told_with_the_moment_it_began(manager: Manager) -> None:
    supervisor(manager).reloading()
    (text,) = manager.heard()
    words, _, moment = text.partition("\nMONOTONIC_USEC=")
    assert words == "RELOADING=1"
    assert 0 < int(moment) <= time.monotonic_ns() // 1000


def test_ready_and_stopping_are_told(manager: Manager) -> None:
    told = supervisor(manager)
    told.ready("3 meters")
    told.stopping()
    assert manager.heard() == ["READY=1\nSTATUS=3 meters", "STOPPING=1"]


def test_the_watchdog_is_fed_twice_in_its_period_while_work_gets_done(manager: Manager) -> None:
    clock, told = Clock(), supervisor(manager)
    told.watch(clock, lambda: succeed(None))
    clock.pump([PERIOD_S / 2] * 4)
    assert manager.heard() == ["WATCHDOG=1"] * 5
    told.stopping()
    clock.pump([PERIOD_S] * 4)
    assert manager.heard() == ["STOPPING=1"]


def test_work_that_hangs_starves_it_and_work_that_goes_on_feeds_it_again(manager: Manager) -> None:
    clock, told, hanging = Clock(), supervisor(manager), Deferred[None]()
    told.watch(clock, lambda: hanging)
    clock.pump([PERIOD_S] * 5)
    assert manager.heard() == []
    hanging.callback(None)
    assert manager.heard() == ["WATCHDOG=1"]


def test_work_that_fails_starves_it(manager: Manager) -> None:
    clock, told = Clock(), supervisor(manager)
    told.watch(clock, lambda: fail(OSError("disk")))
    clock.pump([PERIOD_S] * 5)
    assert manager.heard() == []


def test_a_watchdog_of_another_process_or_none_is_left_alone(manager: Manager) -> None:
    for told in (supervisor(manager, WATCHDOG_PID="1"), supervisor(manager, WATCHDOG_USEC="")):
        clock = Clock()
        told.watch(clock, lambda: succeed(None))
        assert clock.getDelayedCalls() == []
    assert supervisor(manager, WATCHDOG_PID=str(os.getpid())).watchdog_s == PERIOD_S


def test_without_a_manager_nothing_is_told_and_a_dead_one_ends_nothing(tmp_path: Path) -> None:
    Supervisor({}).ready("alone")
    Supervisor({"NOTIFY_SOCKET": str(tmp_path / "none")}).ready("to nobody")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_has_nothing_to_say_about_a_unit(unit: Path, tmp_path: Path) -> None:
    assert verified(unit, tmp_path, lambda text: text) == ""


def test_a_mistake_in_a_unit_is_told(tmp_path: Path) -> None:
    assert "Restrat" in verified(UNITS[0], tmp_path, lambda text: text.replace("Restart=", "Restrat="))


def verified(unit: Path, folder: Path, change) -> str:
    """What `systemd-analyze verify` says; the program is where it is here, not where it will be installed."""
    analyze = shutil.which("systemd-analyze")
    assert analyze is not None, "install the Debian package systemd"
    text = unit.read_text()
    assert "/opt/meterpurse/bin/meterpurse" in text
    here = folder / unit.name
    here.write_text(change(text.replace("/opt/meterpurse/bin/meterpurse", sys.executable)))
    ended = subprocess.run([analyze, "verify", str(here)], capture_output=True, text=True, check=False)
    return ended.stdout + ended.stderr
