"""The fleet under load: memory, CPU and lateness of many meters in one process on one core; costs of a check.

    python -m tests.bench.fleet [--meters 10000] [--rate 60] [--seconds 60] [--top-ups 100] [--core 0]

A fleet is made, run pinned to one processor with a virtual clock, and told to stop after that many seconds; nobody
connects. Every meter is checked every virtual minute. Exit code 1 when it took more memory than MOST_MB, or a check
came more than a virtual minute late. The costs are measured before, in this process: a fleet of SAMPLE meters, its
store on disk, whose time the measurement sets.
"""

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from dlms_objects.meter.fleet.service import FleetService
from dlms_objects.meter.fleet.setup import create
from dlms_objects.purse import operations
from dlms_objects.purse.fee_item import Frequency
from tests.support.fleets import FleetWorld, new_fleet
from tests.support.purses import fixed, monthly
from tests.support.sources import ROOT

MOST_MB = 1500
VIRTUAL_MINUTE_S = 60.0
SAMPLE = 256
DAYS = 5
TICKS_S = os.sysconf("SC_CLK_TCK")
PAGE_OCTETS = os.sysconf("SC_PAGE_SIZE")


def main() -> int:
    """Measure and print; 0 when the fleet kept up within its memory."""
    parser = argparse.ArgumentParser(description="many meters in one process on one core")
    parser.add_argument("--meters", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=60.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--top-ups", type=int, default=100)
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="meterpurse-fleet-") as folder:
        costs(Path(folder) / "sample")
        return big_run(Path(folder) / "fleet", options)


def costs(folder: Path) -> None:
    """The CPU time of one idle check and of one deduction, each with its share of everything around it."""
    fleet = FleetWorld(folder, meters=SAMPLE)
    every_day = fixed(100, monthly(frequency=Frequency.DAILY, day=0))
    for host in fleet.service.hosts:
        assert host.meter is not None
        now = host.meter.advance(fleet.reactor.seconds())
        host.meter.keeper.carry_out(now, lambda state, now=now: operations.set_parameters(state, now, 32, every_day))
    idle_us: list[float] = []
    paying_us: list[float] = []
    for _ in range(DAYS * 24 * 60):
        fleet.reactor.rightNow += VIRTUAL_MINUTE_S
        spent_us, entries = made(fleet.service, fleet.reactor.seconds())
        if entries == SAMPLE:
            paying_us.append(spent_us / SAMPLE)
        elif not entries:
            idle_us.append(spent_us / SAMPLE)
    fleet.stop()
    for name, figure_us, minutes in (
        ("one check that finds nothing due (median)", statistics.median(idle_us), len(idle_us)),
        ("  mean, with those that work through the fees", statistics.fmean(idle_us), len(idle_us)),
        ("one check with one deduction, committed (median)", statistics.median(paying_us), len(paying_us)),
    ):
        show(f"{name:<50}{figure_us:8.1f} us  ({minutes} minutes of {SAMPLE} meters)")


def made(service: FleetService, real_s: float) -> tuple[float, int]:
    """CPU microseconds of one minute's checks of all meters, and the entries they made."""
    before = service.checks.counts["entries"]
    began_s = time.process_time()
    for _ in service.checks.make(real_s):
        pass
    return (time.process_time() - began_s) * 1e6, service.checks.counts["entries"] - before


def big_run(folder: Path, options: argparse.Namespace) -> int:
    """Make the fleet, let it run, stop it; the exit code."""
    began_s = time.monotonic()
    create(folder, new_fleet(meters=options.meters, clock_rate=options.rate, top_ups=options.top_ups))
    size = sum(path.stat().st_size for path in folder.glob("*.sqlite"))
    show(f"{options.meters} meters with {options.top_ups} rows each: {size / 1e6:.0f} MB on disk", end="")
    show(f", made in {time.monotonic() - began_s:.0f} s")
    command = [sys.executable, "-m", "deploy", "fleet", "run", str(folder), "--log-level", "error"]
    process = subprocess.Popen(
        ["taskset", "--cpu-list", str(options.core), *command], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with process, closing(process.stdout) as out:  # type: ignore[type-var]  # it is a pipe
        began_s = time.monotonic()
        assert out.readline().startswith("ready")
        started_cpu_s = cpu_s(process.pid)
        show(f"ready after {time.monotonic() - began_s:.1f} s, {started_cpu_s:.1f} s of them on the processor", end="")
        show(f", {memory_mb(process.pid):.0f} MB")
        began_s = time.monotonic()
        time.sleep(options.seconds)
        share = (cpu_s(process.pid) - started_cpu_s) / (time.monotonic() - began_s)
        used_mb = memory_mb(process.pid)
        process.send_signal(signal.SIGTERM)
        summary = out.read()
    late_s = float(re.search(r"at most ([\d.]+) s late", summary)[1])  # type: ignore[index]  # it is always there
    checks_per_s = options.meters * options.rate / VIRTUAL_MINUTE_S
    show(f"{checks_per_s:.0f} checks a second at {options.rate:g} x real time: {share:.0%} of one core,", end=" ")
    show(f"{share / checks_per_s * 1e6:.1f} us each, everything included; {used_mb:.0f} MB")
    show(summary.strip())
    is_good = used_mb < MOST_MB and late_s * options.rate < VIRTUAL_MINUTE_S
    show(f"under {MOST_MB} MB and less than a virtual minute late: {'reached' if is_good else 'MISSED'}")
    return 0 if is_good else 1


def cpu_s(process: int) -> float:
    """The CPU seconds that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_S


def memory_mb(process: int) -> float:
    """The resident memory of a process."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE_OCTETS / 1e6


def show(words: str, *, end: str = "\n") -> None:
    """Print at once."""
    sys.stdout.write(words + end)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
