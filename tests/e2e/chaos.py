"""Faults in the fleet, a head-end that restarts, a gateway that dies fifty times, a full disk: everything arrives once.

    python -m tests.e2e.chaos [--seed N] [--meters 30] [--kills 50] [--patience 90] [--letting-go-early]

While the meters' clocks race on and deduct, every fault of the fleet is on, the gateway is ended by `kill -9` again and
again, the head-end too, and once the disk with the outbox is full for a while. Then everything is healed, the meters'
clocks all but stop, and within the patience each meter's journal must be in the ledger, row for row. The seed is
printed and replays faults, victims and moments (not the operating system's timing). `--letting-go-early` runs a gateway
that deletes rows when it sends them, not when they are answered; the script must then fail. Exit code 0 when the books
agree.
"""

import argparse
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deploy.demo.daemons import Daemon, DaemonError
from deploy.demo.influxdb import free_port
from deploy.fleet_gateway import make_gateway
from dlms_objects.classes.catalogue import Role
from dlms_objects.meter.fleet import setup as fleet_setup
from dlms_objects.meter.fleet.config import CONFIG_NAME as FLEET_CONFIG
from dlms_objects.meter.fleet.config import FAULTS_NAME, FaultsConfig
from dlms_objects.meter.fleet.identity import FleetIdentity
from gateway.setup import OUTBOX_NAME
from headend import setup as headend_setup
from headend.config import MeterConfig
from tests.e2e.kill_nine import say

START = datetime(2026, 3, 1, 4, tzinfo=UTC)
FAST, SLOW = 50_000.0, 0.001
TOP_UPS = 40
DISK_OCTETS = 8 << 20
DISK_FULL_S = 4.0
ROOM_OCTETS = 160 << 10
NOTICE_S = 60.0
START_ATTEMPTS = 40
FAULTS = {
    "drop": 0.003,
    "delay": 0.01,
    "truncate": 0.004,
    "duplicate": 0.004,
    "corrupt": 0.004,
    "refuse": 0.03,
    "restart": 0.004,
}
IMPATIENT = {
    "timeout_s": 1,
    "collect_every_s": 0.3,
    "upload_every_s": 0.2,
    "back_off_first_s": 0.1,
    "back_off_maximum_s": 0.5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chaos:
    """The three daemons and where their books are."""

    folder: Path
    seed: int
    meters: int
    fleet: Daemon
    gateway: Daemon
    headend: Daemon

    @property
    def disk(self) -> Path:
        """The gateway's folder, where there is little room."""
        return self.folder / "disk"


def main() -> int:
    """Run one; 0 when everything arrived once."""
    parser = argparse.ArgumentParser(description="a gateway in chaos")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--meters", type=int, default=30)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--patience", type=float, default=90.0, help="seconds that everything may take to arrive")
    parser.add_argument(
        "--letting-go-early", action="store_true", help="a gateway that deletes rows when it sends them"
    )
    options = parser.parse_args()
    say(f"seed {options.seed}, {options.meters} meters, {options.kills} kills of the gateway")
    folder = Path(tempfile.mkdtemp(prefix="meterpurse-chaos-"))
    with small_disk(folder / "disk") as is_small:
        module = "tests.support.gateway_letting_go_early" if options.letting_go_early else "deploy"
        chaos = make_chaos(folder, options.seed, options.meters, module)
        try:
            survive(chaos, random.Random(options.seed), options.kills, fill=is_small)
            problems = settle(chaos, options.patience)
        except DaemonError as error:
            problems = [str(error)]
        finally:
            for daemon in (chaos.gateway, chaos.headend, chaos.fleet):
                daemon.kill()
        for problem in problems:
            say(f"FAILED: {problem}")
        if problems:
            kept = folder.with_name(folder.name + "-kept")
            shutil.copytree(folder, kept)
            say(f"everything is kept in {kept}")
    shutil.rmtree(folder)
    return int(bool(problems))


@contextmanager
def small_disk(path: Path) -> Iterator[bool]:
    """A folder on a small file system of its own; False where none may be mounted, and it is just a folder."""
    path.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={DISK_OCTETS}", "tmpfs", str(path)]
    is_mounted = subprocess.run(mounting, capture_output=True, check=False).returncode == 0
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run(["umount", "--lazy", str(path)], check=True)


def make_chaos(folder: Path, seed: int, meters: int, gateway_module: str) -> Chaos:
    """A fleet with its faults on, a head-end that knows its meters, and an impatient gateway between them."""
    fleet_port, headend_port = free_port(), free_port()
    fleet, gateway = folder / "fleet", folder / "disk" / "gateway"
    new_fleet = fleet_setup.NewFleet(
        meters=meters,
        seed=seed,
        clock_start=START,
        clock_rate=FAST,
        listen=f"127.0.0.1:{fleet_port}",
        top_ups=TOP_UPS,
    )
    fleet_setup.create(fleet, new_fleet)
    fleet_setup.write_faults(fleet / FAULTS_NAME, FaultsConfig(seed=seed, delay_s=0.2, away_s=0.5, **FAULTS))
    identity = FleetIdentity(seed)
    registered = [
        MeterConfig(system_title=str(identity.title(number)), household=f"flat {number}")
        for number in range(1, meters + 1)
    ]
    headend = headend_setup.create(folder / "headend", meters=registered, listen=f"127.0.0.1:{headend_port}")
    made = make_gateway(
        fleet,
        gateway,
        headend_url=f"http://127.0.0.1:{headend_port}",
        token_file=headend.gateway_token,
        endpoint=None,
        collect_every_s=1,
        role=Role.MANAGEMENT,
    )
    set_values(made, IMPATIENT)
    return Chaos(
        folder=folder,
        seed=seed,
        meters=meters,
        fleet=Daemon("fleet", ["fleet", "run", str(fleet)], folder / "fleet.log"),
        gateway=Daemon("gateway", ["gateway", "run", str(gateway)], folder / "gateway.log", module=gateway_module),
        headend=Daemon("head-end", ["headend", "run", str(folder / "headend")], folder / "headend.log"),
    )


def set_values(config: Path, values: dict[str, float]) -> None:
    """Give these names other values wherever a configuration has them."""
    text = config.read_text()
    for name, value in values.items():
        text, found = re.subn(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
        assert found, f"{config} has no {name}"
    config.write_text(text)


def survive(chaos: Chaos, dice: random.Random, kills: int, *, fill: bool) -> None:
    """Start all, kill, fill and heal."""
    for daemon in (chaos.fleet, chaos.headend, chaos.gateway):
        daemon.start()
    filled_after = dice.randrange(kills // 3, kills * 2 // 3 + 1)
    if not fill:
        say("no file system may be mounted here: the full disk is left out")
    for number in range(1, kills + 1):
        time.sleep(dice.uniform(0.05, 1.2))
        if number == filled_after and fill:
            fill_disk(chaos)
        chaos.gateway.kill()
        start_again(chaos.gateway)
        if dice.random() < 1 / 4:
            end = dice.choice((chaos.headend.kill, chaos.headend.stop))
            end()
            time.sleep(dice.uniform(0, 1))
            start_again(chaos.headend)
    say(f"{kills} kills; healing")
    heal(chaos)


def fill_disk(chaos: Chaos) -> None:
    """Leave so little room beside the outbox that soon nothing can be written, for a while; kill the gateway meanwhile.

    It is stopped in good order first, so that its write-ahead log gives back the room that it had.
    """
    chaos.gateway.stop()
    ballast = chaos.disk / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(chaos.disk).free - ROOM_OCTETS)
    start_again(chaos.gateway)
    said = chaos.gateway.log.stat().st_size
    end_s = time.monotonic() + NOTICE_S
    while b"the outbox cannot be written" not in chaos.gateway.log.read_bytes()[said:]:
        if time.monotonic() > end_s:
            raise DaemonError("the gateway did not notice that its disk is full")
        time.sleep(0.1)
    say(f"the gateway's disk is full, {shutil.disk_usage(chaos.disk).free} octets free, for {DISK_FULL_S:g} s")
    time.sleep(DISK_FULL_S)
    chaos.gateway.kill()
    with suppress(DaemonError):  # it may say that it cannot, and end
        chaos.gateway.start()
    ballast.unlink()


def start_again(daemon: Daemon) -> None:
    """A process that ended must come up again, as its supervisor would have it; a port may not be free at once."""
    for _ in range(START_ATTEMPTS - 1):
        try:
            daemon.start()
        except DaemonError:
            time.sleep(0.1)
        else:
            return
    daemon.start()


def heal(chaos: Chaos) -> None:
    """No more faults, and clocks so slow that nothing falls due any more."""
    fleet = chaos.folder / "fleet"
    chaos.fleet.stop()
    set_values(fleet / FLEET_CONFIG, {"rate": SLOW})
    fleet_setup.write_faults(fleet / FAULTS_NAME, FaultsConfig())
    chaos.fleet.start()


def settle(chaos: Chaos, patience_s: float) -> list[str]:
    """Wait until every row has arrived; what is still wrong when the patience is at its end."""
    end_s = time.monotonic() + patience_s
    while (problems := disagreements(chaos)) and time.monotonic() < end_s:
        time.sleep(0.5)
    journals = fleet_journals(chaos)
    rows = sum(map(len, journals.values()))
    made = rows - TOP_UPS * chaos.meters
    if made < chaos.meters:
        problems.append(f"only {made} deductions were made meanwhile: too few to prove anything")
    if not problems:
        say(f"{rows} rows of {len(journals)} meters ({made} made meanwhile), each in the ledger once, nothing held")
    return problems


def disagreements(chaos: Chaos) -> list[str]:
    """Where the ledger is not the journals, in words; and what the gateway still holds."""
    journals, ledger = fleet_journals(chaos), headend_rows(chaos)
    problems = [
        f"{title}: {len(journals[title])} rows in the meter, {len(ledger.get(title, []))} in the ledger"
        for title in journals
        if ledger.get(title) != journals[title]
    ]
    with closing(_reading(chaos.folder / "headend" / headend_setup.DATABASE_NAME)) as connection:
        (evidence,) = connection.execute("SELECT count(*) FROM evidence").fetchone()
        unbalanced = connection.execute(
            "SELECT system_title FROM meter WHERE balance_minor != (SELECT coalesce(sum(amount_minor), 0)"
            " FROM posting WHERE posting.meter_id = meter.id AND line = 0)"
        ).fetchall()
    with closing(_reading(chaos.disk / "gateway" / OUTBOX_NAME)) as connection:
        (held,) = connection.execute("SELECT count(*) FROM row").fetchone()
        (forks,) = connection.execute("SELECT count(*) FROM evidence").fetchone()
    for count, words in (
        (evidence, "conflicts at the head-end"),
        (len(unbalanced), "purses whose postings are not their balance"),
        (held, "rows still held by the gateway"),
        (forks, "forks seen by the gateway"),
    ):
        if count:
            problems.append(f"{count} {words}")
    return problems


def fleet_journals(chaos: Chaos) -> dict[str, list[bytes]]:
    """The rows in the meters' journals, by title."""
    identity = FleetIdentity(chaos.seed)
    with closing(_reading(chaos.folder / "fleet" / fleet_setup.STORE_NAMES["shared"])) as connection:
        return {
            str(identity.title(number)): [
                row
                for (row,) in connection.execute("SELECT row FROM entry WHERE meter = ? ORDER BY sequence", (number,))
            ]
            for number in range(1, chaos.meters + 1)
        }


def headend_rows(chaos: Chaos) -> dict[str, list[bytes]]:
    """The rows in the ledger, by title."""
    rows: dict[str, list[bytes]] = {}
    query = (
        "SELECT system_title, row FROM entry JOIN meter ON meter.id = meter_id ORDER BY system_title, entry.sequence"
    )
    with closing(_reading(chaos.folder / "headend" / headend_setup.DATABASE_NAME)) as connection:
        for title, row in connection.execute(query):
            rows.setdefault(title, []).append(row)
    return rows


def _reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)


if __name__ == "__main__":
    sys.exit(main())
