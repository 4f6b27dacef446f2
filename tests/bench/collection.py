"""What a collection costs the gateway: fleet, gateway and head-end as real processes, every row booked once.

    python -m tests.bench.collection [--meters 1000] [--rows 100]

Each meter of a fresh fleet has so many rows; a new gateway collects them over TCP with an association each, and uploads
them; the CPU is that of the gateway's process from its `ready` line until its outbox is empty again. The gateway is
pinned to one processor, fleet and head-end to another. Exit code 1 when the ledger is not the journals.
"""

import argparse
import os
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from deploy.demo.daemons import Daemon
from deploy.demo.influxdb import free_port
from deploy.fleet_gateway import make_gateway
from dlms_objects.classes.catalogue import Role
from dlms_objects.meter.fleet import setup as fleet_setup
from dlms_objects.meter.fleet.identity import FleetIdentity
from gateway.setup import OUTBOX_NAME
from headend import setup as headend_setup
from headend.config import MeterConfig
from tests.e2e.chaos import Chaos, disagreements
from tests.e2e.kill_nine import say

SEED = 1
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PATIENCE_S = 1200.0


def main() -> int:
    """Print CPU and memory of the gateway; 1 when the books do not agree."""
    parser = argparse.ArgumentParser(description="the cost of collecting and uploading")
    parser.add_argument("--meters", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="meterpurse-collection-") as folder:
        world = make_world(Path(folder), options.meters, options.rows)
        try:
            return measure(world, options.meters, options.rows)
        finally:
            for daemon in (world.gateway, world.headend, world.fleet):
                daemon.kill()


def make_world(folder: Path, meters: int, rows: int) -> Chaos:
    """A fleet with rows in its journals, a head-end that knows its meters, and a gateway that collects once."""
    fleet, gateway, port, url_port = folder / "fleet", folder / "disk" / "gateway", free_port(), free_port()
    new_fleet = fleet_setup.NewFleet(
        meters=meters,
        seed=SEED,
        clock_start=datetime(2026, 3, 1, 4, tzinfo=UTC),
        clock_rate=1.0,
        listen=f"127.0.0.1:{port}",
        top_ups=rows,
    )
    fleet_setup.create(fleet, new_fleet)
    identity = FleetIdentity(SEED)
    registered = [
        MeterConfig(system_title=str(identity.title(number)), household=f"flat {number}")
        for number in range(1, meters + 1)
    ]
    headend = headend_setup.create(folder / "headend", listen=f"127.0.0.1:{url_port}")
    with headend_setup.transaction(headend.database) as connection:
        for registration in registered:
            headend_setup.register(connection, registration)
    make_gateway(
        fleet,
        gateway,
        headend_url=f"http://127.0.0.1:{url_port}",
        token_file=headend.gateway_token,
        endpoint=None,
        collect_every_s=86_400,
        role=Role.MANAGEMENT,
    )

    def daemon(name: str, *arguments: str | Path) -> Daemon:
        return Daemon(name, [*map(str, arguments), "--log-level", "error"], folder / f"{name}.log")

    return Chaos(
        folder=folder,
        seed=SEED,
        meters=meters,
        fleet=daemon("fleet", "fleet", "run", fleet),
        gateway=daemon("gateway", "gateway", "run", gateway),
        headend=daemon("head-end", "headend", "run", folder / "headend"),
    )


def measure(world: Chaos, meters: int, rows: int) -> int:
    """Start all, wait until everything has arrived, print."""
    for daemon in (world.fleet, world.headend, world.gateway):
        daemon.start()
        pin(daemon, core=int(daemon is world.gateway))
    process = world.gateway.process_id
    assert process is not None
    before_s, begun_s = cpu_s(process), time.monotonic()
    outbox = world.disk / "gateway" / OUTBOX_NAME
    while not has_all(outbox, meters, rows):
        if time.monotonic() - begun_s > PATIENCE_S:
            say("FAILED: not everything arrived in time")
            return 1
        time.sleep(0.2)
    used_s, passed_s = cpu_s(process) - before_s, time.monotonic() - begun_s
    problems = disagreements(world)
    for problem in problems:
        say(f"FAILED: {problem}")
    verdict = "every row once" if not problems else "the books differ"
    say(
        f"{meters} meters, {rows} rows each: {used_s * 1000 / meters:.2f} ms of gateway CPU a meter "
        f"({meters / used_s:.0f} meters a second of CPU), {passed_s:.1f} s in all, "
        f"at most {peak_mib(process):.0f} MiB; {verdict}"
    )
    return int(bool(problems))


def has_all(outbox: Path, meters: int, rows: int) -> bool:
    """Whether every meter was collected and nothing waits to be uploaded."""
    with closing(sqlite3.connect(f"file:{outbox}?mode=ro", uri=True, timeout=10)) as connection:
        (collected,) = connection.execute("SELECT count(*) FROM meter WHERE sequence >= ?", (rows,)).fetchone()
        (held,) = connection.execute("SELECT held_rows FROM fill").fetchone()
    return bool(collected == meters and held == 0)


def pin(daemon: Daemon, *, core: int) -> None:
    """Keep a process to one processor, where there are several."""
    if daemon.process_id is not None and core in os.sched_getaffinity(0):
        os.sched_setaffinity(daemon.process_id, {core})


def cpu_s(process: int) -> float:
    """The CPU a process has used, of all its threads, user and system."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def peak_mib(process: int) -> float:
    """The most memory it had resident."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    sys.exit(main())
