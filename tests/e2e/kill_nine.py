"""The demo's year under `kill -9`: every process dies again and again, and at the end the books still agree.

    python -m tests.e2e.kill_nine [--seed N] [--kills 30] [--late-commit]

Beside the demo's year the resident makes small top-ups all the time, so that there is always money in flight. What was
acknowledged to anyone must be in the meter and in the ledger exactly once. The seed is printed and replays the choice
of victims and moments (not the operating system's timing). `--late-commit` runs the meter with a store that commits
after answering; the script must then fail. Exit code 0 when everything agrees, 1 otherwise.
"""

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from deploy.asking import run_once
from deploy.configuration import load
from deploy.demo.daemons import Daemon, DaemonError
from deploy.demo.ledgers import disagreements, gateway_book, headend_book, meter_book
from deploy.demo.world import World, make_world
from deploy.demo.year import Year
from deploy.household import Household
from dlms_objects.errors import MeterPurseError
from dlms_objects.values.civil import time_zone

EXAMPLE = Path(__file__).parents[2] / "deploy" / "examples" / "household.toml"
YEAR_S = 366 * 86_400
SECONDS_PER_KILL = 2.4
PATIENCE_S = 20.0
SMALL_TOP_UP = 100  # minor units
DEDUCTIONS_OF_THE_YEAR = 60


def main() -> int:
    """Run one year; 0 when everything agrees."""
    parser = argparse.ArgumentParser(description="the demo's year under kill -9")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--late-commit", action="store_true", help="a meter whose store commits after answering")
    options = parser.parse_args()
    say(f"seed {options.seed}, {options.kills} kills{', late commit' if options.late_commit else ''}")
    household = load(EXAMPLE, Household)
    folder = Path(tempfile.mkdtemp(prefix="meterpurse-kill-"))
    start = datetime(2026, 1, 1, tzinfo=time_zone(household.settings.time_zone)) - timedelta(hours=12)
    module = "tests.support.late_committing_meter" if options.late_commit else "deploy"
    world = make_world(folder, household, start, meter_module=module)
    try:
        problems = run_once(
            lambda reactor: _survive(
                Year(reactor, world, household, patience_s=PATIENCE_S),
                world,
                random.Random(options.seed),
                options.kills,
            )
        )
    except MeterPurseError as error:
        problems = [f"{type(error).__name__}: {error}"]
    finally:
        for daemon in world.daemons:
            daemon.kill()
    for problem in problems:
        say(f"FAILED: {problem}")
    if problems:
        say(f"everything is kept in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


async def _survive(year: Year, world: World, dice: random.Random, kills: int) -> list[str]:
    for daemon in world.daemons:
        daemon.start()
    await year.configure()
    world.meter.stop()
    world.set_clock_rate(YEAR_S / (kills * SECONDS_PER_KILL))
    world.meter.start()
    killing = Deferred.fromCoroutine(_kill(year, world, dice, kills))
    busy = [True]
    topping_up = Deferred.fromCoroutine(_keep_topping_up(year, busy))
    problems = []
    if not await year.live(kills * SECONDS_PER_KILL + PATIENCE_S):
        problems.append("the year did not come to its end: something that was done is not there")
    await killing
    busy[0] = False
    await topping_up
    if not problems:
        await year.settled()
    return problems + await _verdict(year, world)


async def _kill(year: Year, world: World, dice: random.Random, kills: int) -> None:
    victims = [world.daemons[number % len(world.daemons)] for number in range(kills)]
    dice.shuffle(victims)
    for number, victim in enumerate(victims, start=1):
        await year.pause(dice.uniform(0.05, 1.2))
        victim.kill()
        say(f"kill {number}: {victim.name}")
        await deferToThread(_start_again, victim)


def _start_again(victim: Daemon) -> None:
    """A process that was killed must come up again; a port that is not free yet is worth a second try."""
    try:
        victim.start()
    except DaemonError:
        victim.start()


async def _keep_topping_up(year: Year, busy: list[bool]) -> None:
    number = 0
    while busy[0]:
        number += 1
        await year.top_up(f"small {number}", SMALL_TOP_UP)
        await year.pause(0.15)


async def _verdict(year: Year, world: World) -> list[str]:
    journal, balance, reconciliation = await year.books()
    meter = meter_book(journal, balance)
    gateway, headend = gateway_book(world.outbox, world.system_title), headend_book(reconciliation)
    problems = disagreements(meter, gateway, headend, reconciliation)
    top_ups = {bytes.fromhex(row["reference"]): row["amount"] for row in journal if row["kind"] == "top_up"}
    if top_ups != year.topped_up or len(top_ups) != sum(row["kind"] == "top_up" for row in journal):
        problems.append(f"{len(year.topped_up)} top-ups were acknowledged, the journal has {len(top_ups)} of them")
    paid = Counter((row["fee_item"], row["due"]) for row in journal if row["kind"] == "deduction")
    problems += [
        f"fee item {item}, due {due}: deducted {count} times" for (item, due), count in paid.items() if count > 1
    ]
    if len(paid) != DEDUCTIONS_OF_THE_YEAR:
        problems.append(f"{len(paid)} of {DEDUCTIONS_OF_THE_YEAR} occurrences were deducted")
    entries = await year.headend.entries()
    if [entry["digest"] for entry in entries] != [row["digest"] for row in journal]:
        problems.append("the ledger's entries are not the journal's")
    notices = Counter(notice["kind"] for notice in await year.headend.notices())
    if (notices["deduction"], notices["top_up"]) != (len(paid), len(top_ups)):
        problems.append(f"notices: {dict(notices)}, of {len(paid)} deductions and {len(top_ups)} top-ups")
    if not problems:
        say(f"reconciled: {meter.deductions} deductions, meter == ledger, balance {balance} minor units")
        say(f"{len(top_ups)} acknowledged top-ups, each in the journal and the ledger once")
    return problems


def say(words: str) -> None:
    """Print one line at once."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
