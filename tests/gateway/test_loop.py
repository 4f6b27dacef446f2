"""gateway/loop.py: one step at a time, for ever, whatever a step does."""

from collections.abc import Iterator

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher

from gateway.loop import GRACE_S, Loop
from tests.support.twisted_testing import has_result


class Steps:
    """Steps that end when told to."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.began: list[float] = []
        self.open: list[Deferred[float]] = []

    async def __call__(self) -> float:
        self.began.append(self.clock.seconds())
        self.open.append(Deferred())
        return await self.open[-1]

    def end(self, delay_s: float) -> None:
        self.open.pop().callback(delay_s)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def steps(clock: Clock) -> Steps:
    return Steps(clock)


@pytest.fixture
def loop(clock: Clock, steps: Steps) -> Loop:
    loop = Loop(clock, "test", steps, after_fault_s=30)
    loop.startService()
    clock.advance(0)
    return loop


@pytest.fixture
def faults() -> Iterator[list[object]]:
    seen: list[object] = []

    def observe(event: dict[str, object]) -> None:
        if "log_failure" in event:
            seen.append(event["log_failure"])

    globalLogPublisher.addObserver(observe)  # type: ignore[arg-type]
    yield seen
    globalLogPublisher.removeObserver(observe)  # type: ignore[arg-type]


@pytest.mark.usefixtures("loop")
def test_a_step_says_when_the_next_one_is_due(clock: Clock, steps: Steps) -> None:
    assert steps.began == [0]
    clock.advance(100)
    assert steps.began == [0], "never two at a time"
    steps.end(7)
    clock.advance(6.9)
    assert steps.began == [0]
    clock.advance(0.1)
    assert steps.began == [0, 107]


def test_waking_brings_the_next_step_forward(clock: Clock, steps: Steps, loop: Loop) -> None:
    steps.end(50)
    clock.advance(10)
    loop.wake()
    clock.advance(0)
    assert steps.began == [0, 10]


def test_waking_during_a_step_is_not_lost(clock: Clock, steps: Steps, loop: Loop) -> None:
    loop.wake()
    steps.end(50)
    clock.advance(0)
    assert steps.began == [0, 0]
    steps.end(50)
    clock.advance(49)
    assert steps.began == [0, 0], "and counts once"


def test_an_unexpected_error_is_logged_and_the_loop_goes_on(
    clock: Clock, steps: Steps, loop: Loop, faults: list[object]
) -> None:
    steps.open.pop().errback(ZeroDivisionError())
    assert len(faults) == 1
    clock.advance(30)
    assert steps.began == [0, 30]
    assert loop.running


def test_stopping_waits_for_the_step_under_way(clock: Clock, steps: Steps, loop: Loop) -> None:
    stopped = loop.stopService()
    assert not has_result(stopped)
    steps.end(1)
    assert has_result(stopped)
    clock.advance(100)
    assert steps.began == [0]
    assert clock.getDelayedCalls() == []


def test_stopping_between_steps_is_at_once(clock: Clock, steps: Steps, loop: Loop) -> None:
    steps.end(10)
    assert has_result(loop.stopService())
    assert clock.getDelayedCalls() == []


def test_a_step_that_does_not_end_is_broken_off_quietly(clock: Clock, loop: Loop, faults: list[object]) -> None:
    stopped = loop.stopService()
    clock.advance(GRACE_S - 0.1)
    assert not has_result(stopped)
    clock.advance(0.1)
    assert has_result(stopped)
    assert faults == []
    assert clock.getDelayedCalls() == []


def test_a_loop_can_be_started_again(clock: Clock, steps: Steps, loop: Loop) -> None:
    steps.end(10)
    loop.stopService()
    loop.startService()
    clock.advance(0)
    assert steps.began == [0, 0]
