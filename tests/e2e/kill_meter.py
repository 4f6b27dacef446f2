"""One meter as a real process under `kill -9`: what it acknowledged over TCP is there after every restart, once.

    python -m tests.e2e.kill_meter [--kills 300] [--seed N] [--late-commit]

A resident tops up over TCP as fast as the meter answers while a fee falls due every few moments of its virtual clock;
it is killed at random moments, started again, and its journal is read and judged each time. The seed is printed and
replays the choice of moments (not the operating system's timing). `--late-commit` runs a store that commits after
answering; the script must then fail. Exit code 0 when every restart agreed, 1 otherwise.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from deploy.asking import run_once
from deploy.demo.daemons import Daemon
from dlms_objects.classes.catalogue import Role
from dlms_objects.classes.fee_item_class import FEE_ITEM, fee_item_name
from dlms_objects.classes.purse_class import PURSE, PURSE_NAME
from dlms_objects.errors import MeterPurseError
from dlms_objects.meter import setup
from dlms_objects.purse.chain import fold, verify_octets
from dlms_objects.purse.entry import ROW_LENGTH, Entry, EntryKind, JournalHead
from dlms_objects.transport.client import ClientIdentity, MeterSession, client_parameters, open_session
from dlms_objects.transport.credentials import load_credentials
from dlms_objects.transport.remote_object import RemoteObject
from dlms_objects.wire.counters import Counters, MemoryReceivedCounters, MemorySentCounters
from tests.support.meters import CLIENT_TITLE, JOURNAL_BUFFER, NOW, daily, identifier

CLOCK_RATE = 86_400.0  # a day of the meter in a second
LONGEST_LIFE_S = 0.05  # some fifty top-ups: the meter is killed while it works
AMOUNT = 2_000


class Household:
    """The meter's process, and what the resident was told."""

    def __init__(self, folder: Path, dice: random.Random, *, late_commit: bool) -> None:
        """Make the meter; nothing runs yet."""
        self.made = setup.create(folder, listen="127.0.0.1:0", clock_start=NOW, clock_rate=CLOCK_RATE)
        module = "tests.support.late_committing_meter" if late_commit else "deploy"
        self.daemon = Daemon("meter", ["meter", "run", str(folder)], folder / "log", module=module)
        self.dice = dice
        self.sent = MemorySentCounters()
        self.asked = 0
        self.acknowledged: set[bytes] = set()
        self.seen: list[bytes] = []  # rows that were read

    async def live_once(self, reactor: IReactorTime, *, kills: bool) -> list[str]:
        """Start it, judge what it has kept, top up, and kill it at some moment; what is wrong."""
        endpoint = self.daemon.start().split()[0]
        session = await self._session(reactor, endpoint)
        problems = await self._judge(session)
        if not kills:
            return problems
        topping_up = Deferred.fromCoroutine(self._top_up(session))
        topping_up.addErrback(lambda failure: failure.trap(MeterPurseError))
        await deferLater(reactor, self.dice.uniform(0, LONGEST_LIFE_S))
        self.daemon.kill()
        await topping_up
        return problems

    async def configure(self, reactor: IReactorTime) -> None:
        """A fee of every day."""
        session = await self._session(reactor, self.daemon.start().split()[0])
        await RemoteObject(session, FEE_ITEM, fee_item_name(1)).set("parameters", daily(amount=100))
        self.daemon.kill()

    async def _session(self, reactor: IReactorTime, endpoint: str) -> MeterSession:
        credentials = load_credentials(self.made.keys[Role.MANAGEMENT])
        counters = Counters(sent=self.sent, received=MemoryReceivedCounters())
        identity = ClientIdentity(system_title=CLIENT_TITLE, counters=counters)
        return await open_session(reactor, endpoint, client_parameters(credentials, identity))

    async def _top_up(self, session: MeterSession) -> None:
        """Until the meter is no more."""
        purse = RemoteObject(session, PURSE, PURSE_NAME)
        while True:
            self.asked += 1
            name = identifier(self.asked)
            answer: Any = await purse.call("top_up", {"transaction_id": name, "amount": AMOUNT})
            if answer["outcome"] == "done":
                self.acknowledged.add(bytes.fromhex(name))

    async def _judge(self, session: MeterSession) -> list[str]:
        octets = await session.get(JOURNAL_BUFFER)
        rows = octets[len(octets) % ROW_LENGTH :]
        entries = [Entry.from_row(rows[at : at + ROW_LENGTH]) for at in range(0, len(rows), ROW_LENGTH)]
        balance = await RemoteObject(session, PURSE, PURSE_NAME).get("balance")
        return self.problems(rows, entries, balance)

    def problems(self, rows: bytes, entries: list[Entry], balance: int) -> list[str]:
        """What is wrong with a journal that was read before the balance; deductions may fall between the two."""
        found = []
        _, kept = verify_octets(rows, JournalHead.empty(self.made.system_title), 0)
        if kept != fold(entries) or (balance - kept) % 100:
            found.append(f"the journal comes to {kept}, the balance is {balance}")
        paid = Counter((one.fee_item, one.due.octets) for one in entries if one.kind is EntryKind.DEDUCTION)
        topped_up = Counter(one.reference for one in entries if one.kind is EntryKind.TOP_UP)
        found += [f"{what} {times} times" for what, times in (paid | topped_up).items() if times > 1]
        if missing := self.acknowledged - set(topped_up):
            found.append(f"{len(missing)} acknowledged top-ups are lost")
        read = [one.row() for one in entries]
        if read[: len(self.seen)] != self.seen:
            found.append("a deduction that was read is lost")
        self.seen = read
        return found


async def survive(reactor: IReactorTime, household: Household, kills: int) -> list[str]:
    """Kill it so often; every problem, with the number of kills before it."""
    await household.configure(reactor)
    problems = []
    for number in range(kills + 1):
        found = await household.live_once(reactor, kills=number < kills)
        problems += [f"after {number} kills: {problem}" for problem in found]
    return problems


def main() -> int:
    """Run it; 0 when every restart agreed."""
    parser = argparse.ArgumentParser(description="one meter under kill -9")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--late-commit", action="store_true", help="a meter whose store commits after answering")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="meterpurse-kill-") as place:
        dice = random.Random(options.seed)
        household = Household(Path(place, "meter"), dice, late_commit=options.late_commit)
        try:
            problems = run_once(lambda reactor: survive(reactor, household, options.kills))
        except MeterPurseError as error:
            problems = [f"{type(error).__name__}: {error}"]
        finally:
            household.daemon.kill()
    for problem in problems:
        sys.stdout.write(f"FAILED: {problem}\n")
    acknowledged, deducted = len(household.acknowledged), len(household.seen) - len(household.acknowledged)
    sys.stdout.write(
        f"seed {options.seed}, {options.kills} kills: {acknowledged} top-ups acknowledged of {household.asked} asked"
        f" for, {deducted} other entries; {len(problems)} wrong\n"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
