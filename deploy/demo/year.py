"""Living the year: the household is configured, pays, runs short, tops up, and is through at the end of December.

What a resident, a water company and a landlord would do is done here over DLMS, every step safe to repeat: a call that
was cut off is made again with the same id. The clock that counts is the meter's.
"""

import hashlib
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from deploy.demo.headend_reader import HeadendReader
from deploy.demo.world import World
from deploy.fee_setting import write_fee_items
from deploy.household import DemoTable, Household
from deploy.purse_client import Plain, PurseClient, purse_of
from dlms_objects.errors import InvalidValueError, RemoteError, TransportLostError

LOOK_EVERY_S = 0.1
RETRY_EVERY_S = 0.2
BILL_COMES_BEFORE = timedelta(days=12)
SHORTAGE = "insufficient"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bill:
    """One amount that comes from outside the meter: for which item and due date, and how much."""

    number: int
    due: date
    amount: int

    @property
    def reference(self) -> bytes:
        """The bill's reference, the same whenever it is made."""
        return _identifier(f"bill {self.number} {self.due}")


class Year:
    """One household's year. `topped_up` is what the meter has acknowledged, by transaction id."""

    def __init__(
        self,
        reactor: IReactorTime,
        world: World,
        household: Household,
        *,
        tell: Callable[[datetime], None] = lambda _now: None,
        patience_s: float = 60.0,
    ) -> None:
        """`tell` is called with the meter's time at every look; what fails for `patience_s` has failed."""
        if household.demo is None:
            raise InvalidValueError("the household file has no [demo] table")
        self._reactor = reactor
        self._world = world
        self._household = household
        self._demo: DemoTable = household.demo
        self._tell = tell
        self._patience_s = patience_s
        self._bills = _bills(household)
        self._notices_seen = 0
        self._short = False
        self.topped_up: dict[bytes, int] = {}
        self.headend = HeadendReader(
            url=world.headend_url, token=world.auditor_token, system_title=str(world.system_title)
        )

    async def configure(self) -> None:
        """Make the first top-up, then write settings and fee items."""

        async def work(purse: PurseClient) -> None:
            await write_fee_items(purse, self._household, with_settings=True)

        await self.top_up("first", self._household.minor(self._demo.first_top_up))
        await self._with_purse(work)

    async def live(self, within_s: float = math.inf) -> bool:
        """Look at the meter and the mailbox again and again until every fee item is finished; False when time is up."""
        deadline = self._reactor.seconds() + within_s
        while not await self.look():
            if self._reactor.seconds() >= deadline:
                return False
            await self.pause(LOOK_EVERY_S)
        return True

    async def look(self) -> bool:
        """One look: hand in the bills that have come, top up after a shortage; True when every item is finished."""
        now = await self._with_purse(lambda purse: purse.time())
        self._tell(now)
        due = [bill for bill in self._bills if bill.due - BILL_COMES_BEFORE <= now.date()]
        if due:
            await self._with_purse(lambda purse: self._hand_in(purse, due))
        if not self._short and await self._shortage_told():
            self._short = True
            await self.top_up("second", self._household.minor(self._demo.second_top_up))
        if self._bills:
            return False
        states = [item["status"]["state"] for item in await self._with_purse(lambda purse: purse.fee_items())]
        return all(state == "finished" for state in states)

    async def top_up(self, name: str, minor: int) -> None:
        """Top up, safe to repeat: the transaction id is made of the name. Then it is in `topped_up`."""
        identifier = _identifier(f"top-up {name}")
        await self._with_purse(lambda purse: purse.top_up(minor, identifier))
        self.topped_up[identifier] = minor

    async def settled(self) -> None:
        """Wait until the head-end has every entry and the meter knows it; RemoteError when that takes too long."""
        deadline = self._reactor.seconds() + self._patience_s
        while self._reactor.seconds() < deadline:
            head, acknowledged = await self._with_purse(_heads)
            booked = await self._again(self.headend.reconciliation)
            if booked["sequence"] == head["sequence"] == acknowledged["sequence"]:
                return
            await self.pause(LOOK_EVERY_S)
        raise RemoteError(f"the records did not arrive within {self._patience_s:.0f} s")

    async def pause(self, seconds: float) -> None:
        """Let real time pass."""
        await deferLater(self._reactor, seconds, lambda: None)

    async def _hand_in(self, purse: PurseClient, due: list[Bill]) -> None:
        """Hand in those that still have to be: when the line breaks in the midst of them, it is done again."""
        for bill in due:
            if bill in self._bills:
                await purse.set_amount(bill.number, bill.due, bill.amount, bill.reference)
                self._bills.remove(bill)

    async def _shortage_told(self) -> bool:
        notices = await self._again(lambda: self.headend.notices(self._notices_seen))
        if notices:
            self._notices_seen = notices[-1]["id"]
        return any(notice["kind"] == SHORTAGE for notice in notices)

    async def _with_purse(self, work: Callable[[PurseClient], Awaitable[T]]) -> T:
        async def once() -> T:
            async with purse_of(self._reactor, self._world.address) as purse:
                return await work(purse)

        return await self._again(once)

    async def _again(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it until it is done: what runs into a process that is down is done again."""
        deadline = self._reactor.seconds() + self._patience_s
        while True:
            try:
                return await work()
            except (TransportLostError, RemoteError):
                if self._reactor.seconds() >= deadline:
                    raise
            await self.pause(RETRY_EVERY_S)

    async def books(self) -> tuple[list[Plain], int, Plain]:
        """The meter's journal and balance, and the head-end's reconciliation."""
        journal, balance = await self._with_purse(_journal_and_balance)
        return journal, balance, await self._again(self.headend.reconciliation)


async def _heads(purse: PurseClient) -> tuple[Plain, Plain]:
    return await purse.journal_head(), await purse.acknowledged()


async def _journal_and_balance(purse: PurseClient) -> tuple[list[Plain], int]:
    return await purse.journal(), await purse.balance()


def _bills(household: Household) -> list[Bill]:
    """The bills of the demo table, on the due dates of monthly items."""
    if household.demo is None:
        return []
    schedules = {item.number: item.schedule for item in household.fee_item}
    return [
        Bill(number, schedules[number].first.replace(month=month), household.minor(amount))
        for number, amounts in household.demo.bills.items()
        for month, amount in enumerate(amounts, start=schedules[number].first.month)
    ]


def _identifier(words: str) -> bytes:
    return hashlib.sha256(words.encode()).digest()[:16]
