"""A host clock that is set back stops no timer."""

import asyncio

import pytest
from twisted.internet import asyncioreactor
from twisted.internet.task import Clock, LoopingCall

from deploy import steady_timers
from deploy.steady_timers import SteadyTimers

YEAR_S = 366 * 86_400


class Host:
    """A reactor that goes by the time of day, a loop that goes by steady time, and a meter's tick."""

    def __init__(self) -> None:
        self.reactor = Clock()
        self.reactor.rightNow = 1_780_000_000.0
        self.steady_s = 100.0
        self.waiting: list[SteadyTimers] = []
        self.ticks: list[float] = []
        SteadyTimers(self.reactor, self)
        tick = LoopingCall(lambda: self.ticks.append(self.reactor.seconds()))
        tick.clock = self.reactor
        tick.start(1.0, now=False)

    def time(self) -> float:
        return self.steady_s

    def call_later(self, delay: float, callback: SteadyTimers) -> None:
        assert delay == steady_timers.LOOK_S
        self.waiting.append(callback)

    def pass_second(self) -> None:
        self.steady_s += 1
        self.reactor.advance(1)
        (look,) = self.waiting
        self.waiting.clear()
        look()


@pytest.mark.parametrize("step_s", [-1, -3_600, -YEAR_S, -1_780_000_000])
def test_a_tick_goes_on_when_the_time_of_day_is_set_back(step_s):
    host = Host()
    for _ in range(3):
        host.pass_second()
    host.reactor.rightNow += step_s
    for _ in range(4):
        host.pass_second()
    assert len(host.ticks) >= 6


def test_without_it_the_tick_stands_still(monkeypatch):
    monkeypatch.setattr(steady_timers.SteadyTimers, "__call__", lambda self: self._loop.call_later(1.0, self))
    host = Host()
    host.pass_second()
    host.reactor.rightNow -= YEAR_S
    for _ in range(4):
        host.pass_second()
    assert len(host.ticks) == 1


def test_time_that_passes_moves_no_timer():
    host = Host()
    late = host.reactor.callLater(5.5, lambda: None)
    due = late.getTime()
    for _ in range(4):
        host.pass_second()
    assert late.getTime() == due


def test_the_reactor_that_we_run_on_lets_its_timers_be_moved():
    loop = asyncio.new_event_loop()
    reactor = asyncioreactor.AsyncioSelectorReactor(loop)
    now_s = 1_780_000_000.0
    reactor.seconds = lambda: now_s
    look = SteadyTimers(reactor, loop)
    call = reactor.callLater(1, lambda: None)
    now_s -= YEAR_S
    look()
    assert 0 < call.getTime() - now_s <= 1.5
    reactor.fireSystemEvent("shutdown")
    loop.close()
