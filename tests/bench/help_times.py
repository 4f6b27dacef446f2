"""How long `--help` of each command takes, in a process of its own: `python -m tests.bench.help_times`."""

import os
import statistics
import subprocess
import sys
import time

from tests.support.help_commands import help_commands

RUNS = 5
LIMIT_S = 0.2
SHOWN = 10


def measured_s(words: tuple[str, ...]) -> tuple[float, float]:
    """The medians of several runs in seconds: CPU time, which other work on the machine hardly changes, and wall time.

    Both from the start of the process to its end.
    """
    cpu, wall = [], []
    program = [sys.executable, "-c", "from deploy.cli import main; main()", *words, "--help"]
    for _ in range(RUNS):
        before, begun_s = os.times(), time.perf_counter()
        subprocess.run(program, check=True, stdout=subprocess.DEVNULL)
        wall.append(time.perf_counter() - begun_s)
        after = os.times()
        cpu.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return statistics.median(cpu), statistics.median(wall)


def main() -> None:
    """Print the slowest, and how many there are over the limit."""
    times = sorted(((measured_s(words), words) for words in help_commands()), reverse=True)
    for (cpu_s, wall_s), words in times[:SHOWN]:
        shown = " ".join(("meterpurse", *words, "--help"))
        sys.stdout.write(f"{cpu_s * 1000:6.0f} ms CPU {wall_s * 1000:6.0f} ms  {shown}\n")
    for index, what in enumerate(("CPU", "wall")):
        over = sum(measured[index] >= LIMIT_S for measured, _ in times)
        sys.stdout.write(f"{over} of {len(times)} commands take {LIMIT_S * 1000:.0f} ms {what} time or more\n")
    sys.stdout.write(f"median of {RUNS} runs each; load of the machine {os.getloadavg()[0]:.1f}\n")


if __name__ == "__main__":
    main()
