"""The demo from its start to its line `reconciled: …`."""

import shutil
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from twisted.internet.interfaces import IReactorTime

from deploy.asking import run_once
from deploy.demo.ledgers import Book, disagreements, gateway_book, headend_book, meter_book
from deploy.demo.mails import DemoMails
from deploy.demo.points import DemoInflux
from deploy.demo.report import books_table, late_table, notices_table, year_table
from deploy.demo.world import World, make_world
from deploy.demo.year import Year
from deploy.household import Household
from deploy.tables import WIDTH_OF_A_FILE
from dlms_objects.errors import RemoteError
from dlms_objects.values.civil import time_zone
from dlms_objects.values.money import Money

YEAR_S = 366 * 86_400
BEFORE_THE_YEAR = timedelta(hours=12)


class BooksDisagreeError(RemoteError):
    """The meter's journal, the gateway's count and the ledger are not the same."""


def run_demo(household: Household, *, seconds: float, keep: bool, folder: Path | None) -> None:
    """Live the household's year in about `seconds` of real time; BooksDisagreeError when the books do not agree.

    With `keep` the processes go on and the folder stays; otherwise what the demo made is removed.
    """
    console = Console() if Console().is_terminal else Console(width=WIDTH_OF_A_FILE)
    made = Path(tempfile.mkdtemp(prefix="meterpurse-demo-")) if folder is None else folder
    began = time.monotonic()
    year = min(item.schedule.first for item in household.fee_item).year
    start = datetime(year, 1, 1, tzinfo=time_zone(household.settings.time_zone)) - BEFORE_THE_YEAR
    world = make_world(made, household, start)
    influx, mails = DemoInflux(made / "headend"), DemoMails(made / "headend")
    ended_well = False
    try:
        problems = run_once(lambda reactor: _live(reactor, world, mails, household, YEAR_S / seconds, console))
        console.print(influx.verdict(), highlight=False)
        ended_well = not problems
        console.print(f"running part: {time.monotonic() - began:.1f} s")
        if keep:
            _say_where(world, influx, console)
    finally:
        if not (keep and ended_well):
            try:
                world.stop()
            finally:
                influx.stop()
            if folder is None and ended_well:
                shutil.rmtree(made)
    if problems:
        raise BooksDisagreeError("; ".join(problems) + f" (everything is kept in {made})")


async def _live(  # noqa: PLR0913 - all there is in the demo
    reactor: IReactorTime, world: World, mails: DemoMails, household: Household, rate: float, console: Console
) -> list[str]:
    mails.listen(reactor)
    for daemon in world.daemons:
        console.print(f"{daemon.name:<9}ready {daemon.start()}", highlight=False)
    months: set[str] = set()

    def tell(now: datetime) -> None:
        month = f"{now:%Y-%m}"
        if month not in months:
            months.add(month)
            sys.stdout.write(f"{month} " if len(months) % 13 else f"{month}\n")
            sys.stdout.flush()

    year = Year(reactor, world, household, tell=tell)
    await year.configure()
    console.print(
        f"configured over DLMS: {len(household.fee_item)} fee items of {household.household.name}, first top-up made"
    )
    world.meter.stop()
    world.set_clock_rate(rate)
    world.meter.start()
    console.print(f"the meter's clock now runs {rate:,.0f} times as fast; twelve months pass:")
    await year.live()
    await year.settled()
    sys.stdout.write("\n")
    problems = await _report(year, world, household, console)
    await mails.wait_for(len(await year.headend.notices()), reactor)
    mails.show(console)
    return problems


async def _report(year: Year, world: World, household: Household, console: Console) -> list[str]:
    journal, balance, reconciliation = await year.books()
    meter = meter_book(journal, balance)
    gateway = gateway_book(world.outbox, world.system_title)
    headend = headend_book(reconciliation)
    notices = await year.headend.notices()
    for item in (
        year_table(journal, household),
        late_table(journal, household),
        notices_table(notices),
        books_table((meter, gateway, headend), household.currency),
    ):
        console.print()
        console.print(item)
    console.print()
    problems = disagreements(meter, gateway, headend, reconciliation)
    if not problems:
        console.print(_reconciled(meter, household), highlight=False)
    return problems


def _reconciled(meter: Book, household: Household) -> str:
    balance = Money(meter.balance, household.currency)
    return f"reconciled: {meter.deductions} deductions, meter == ledger, balance {balance}"


def _say_where(world: World, influx: DemoInflux, console: Console) -> None:
    console.print("\nEverything goes on running:", highlight=False)
    console.print(f"  meter     {world.address.endpoint}, keys {world.address.keys}", highlight=False)
    console.print(
        f"  head-end  {world.headend_url}/docs, auditor token in {world.folder / 'headend' / 'auditor.token'}"
    )
    console.print(f"  look      meterpurse dlms purse -k {world.address.keys} -e {world.address.endpoint}")
    ids = " ".join(map(str, [*(daemon.process_id for daemon in world.daemons), *influx.process_ids]))
    console.print(f"  stop      kill {ids}; then remove {world.folder}", highlight=False)
