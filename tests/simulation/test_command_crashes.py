"""The gateway killed at every step of a command: nothing is lost, no money moves twice, every result is told once.

Three deliberate faults show that the search finds what it looks for.
"""

from pathlib import Path
from typing import Any

import pytest

from dlms_objects.classes.catalogue import Role
from dlms_objects.values.system_title import SystemTitle
from gateway.commands import desk, operations, runner
from tests.support.command_world import CommandWorld
from tests.support.fake_headend import FakeHeadend
from tests.support.gateway_world import Crash, StepCounter
from tests.support.meters import MeterWorld, plain_parameters


class WrongBooksError(Exception):
    """What the search found."""


def ordered(number: int, title: SystemTitle) -> FakeHeadend:
    """A head-end with three commands, under ids that no other run has."""
    headend = FakeHeadend(title)
    first = f"{number:016x}"
    headend.command(f"{first}{1:016x}", title, "top_up", parameters=money(f"{first}{9:016x}", 500))
    headend.command(f"{first}{2:016x}", title, "adjust", parameters=money(f"{first}{8:016x}", -200))
    fee = {"number": 1, "parameters": plain_parameters(enabled=False, amount=number + 1), "activation_time": None}
    headend.command(f"{first}{3:016x}", title, "set_fee_item", parameters=fee)
    return headend


def money(transaction_id: str, amount: int) -> dict[str, Any]:
    """The parameters of a top-up or an adjustment."""
    return {"transaction_id": transaction_id, "amount_minor": amount}


def moved(meter: MeterWorld, number: int) -> dict[str, list[int]]:
    """The amounts in the meter's journal by the references of that run."""
    client = meter.connect(Role.READER)
    found: dict[str, list[int]] = {}
    for entry in client.journal():
        if entry.reference.hex().startswith(f"{number:016x}"):
            found.setdefault(entry.reference.hex(), []).append(entry.amount)
    client.release()
    return found


def crash_at(step: int, meter: MeterWorld, folder: Path, number: int) -> str | None:
    """One run, killed at that step, and a restart; what was the last step, None: no crash."""
    title = meter.made.system_title
    path, own = folder / f"{number}.sqlite3", SystemTitle(b"MPG" + (number + 1).to_bytes(5, "big"))
    headend, steps = ordered(number, title), StepCounter(step)
    world = None
    try:
        world = CommandWorld(path, meter, headend, own, step=steps)
        world.cycle()
    except Crash:
        pass
    meter.reactor.settle()
    if world is not None:
        world.die()
    world = CommandWorld(path, meter, headend, own)
    require_stored_first(world, number)
    for _ in range(2):
        world.cycle()
    states = {result["state"] for result in headend.results.values()}
    if (
        len(headend.results) != 3
        or states != {"confirmed"}
        or world.query("select 1 from command where answer is null")
    ):
        raise WrongBooksError(f"results: {headend.results}")
    if sorted(moved(meter, number).values()) != [[-200], [500]]:
        raise WrongBooksError(f"moved twice: {moved(meter, number)}")
    world.die()
    return steps.crashed_at


def require_stored_first(world: CommandWorld, number: int) -> None:
    """At the moment of the crash: what the meter did was begun in our file, and what was told is over in it."""
    rows = world.query("select parameters, attempts, id, state from command")
    for reference in moved(world.meter, number):
        if not any(reference in parameters and attempts for parameters, attempts, _, _ in rows):
            raise WrongBooksError(f"{reference} was acted on before it was stored")
    for identifier in world.headend.results:
        if not any(row[2] == identifier and row[3] not in ("waiting", "begun") for row in rows):
            raise WrongBooksError(f"{identifier} was told before it was stored")


@pytest.mark.slow
def test_killed_at_any_step_nothing_is_lost_and_no_money_moves_twice(tmp_path: Path) -> None:
    meter = MeterWorld(tmp_path / "meter")
    crashed: list[str] = []
    while (last := crash_at(len(crashed), meter, tmp_path, len(crashed))) is not None:
        crashed.append(last)
    assert len(crashed) > 60
    for what in ("before action", "after action", "after set", "before COMMIT", "after COMMIT", "after /api"):
        assert sum(step.startswith(what) for step in crashed) >= 1, what


async def act_before_it_is_begun(self: Any, _command: Any) -> None:
    """Fault: the meter is told of a command that is not marked as begun."""


async def tell_first(headend: Any, command: Any, result: Any) -> None:
    """Fault: the head-end is told before the result is stored."""
    report = desk.Report(identifier=command.identifier, result=result, at_s=0)
    await headend.request("POST", report.path, report.document())


def crash_at_each(steps: range, meter: MeterWorld, folder: Path) -> None:
    """Crash at each of these steps in turn."""
    for step in steps:
        if crash_at(step, meter, folder, step) is None:
            return


@pytest.mark.parametrize("fault", ["acted before stored", "told before stored", "an id of one's own"])
def test_the_search_finds_a_deliberate_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    meter = MeterWorld(tmp_path / "meter")
    match fault:
        case "acted before stored":
            monkeypatch.setattr(runner.MeterCommands, "_begin", act_before_it_is_begun)
            found = "before it was stored"
        case "told before stored":
            finish = runner.MeterCommands._finish

            async def told(self: Any, command: Any, result: Any) -> None:
                await tell_first(current[0], command, result)
                await finish(self, command, result)

            current: list[FakeHeadend] = []
            make = ordered

            def kept(number: int, title: SystemTitle) -> FakeHeadend:
                current[:] = [make(number, title)]
                return current[0]

            monkeypatch.setitem(globals(), "ordered", kept)
            monkeypatch.setattr(runner.MeterCommands, "_finish", told)
            found = "told before it was stored"
        case _:
            numbers = iter(range(1, 1 << 30))
            call = operations._OfPurse.carry_out

            async def fresh(self: Any, at: Any) -> Any:
                own = f"{self.transaction_id[:16]}{next(numbers) + 100:016x}"
                return await call(operations.msgspec.structs.replace(self, transaction_id=own), at)

            monkeypatch.setattr(operations._OfPurse, "carry_out", fresh)
            monkeypatch.setitem(globals(), "require_stored_first", lambda *_: None)
            found = "moved twice"
    with pytest.raises(WrongBooksError, match=found):
        crash_at_each(range(400), meter, tmp_path)
