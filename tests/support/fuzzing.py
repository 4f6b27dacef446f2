"""The fuzz harness: broken octets by the thousand, and whatever a decoder does wrong with one of them.

A target is one layer: where its octets go, good octets to break, and a grammar that makes others. Half of the frames
are mutated good ones, the rest come from the grammar, mutated or not. The same seed gives the same frames. What counts:
anything raised but the errors the layer may raise, a wrong answer (an assertion of the target), and a hang: more CPU
than HANG_S for each HANG_OCTETS, or no end at all.

Targets are in `fuzz_targets`; `tests/fuzz` runs them all. A further layer is one more target there.
"""

import gc
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType

from dlms_objects.wire.errors import MalformedError
from tests.support.mutation import mutate

DEFAULT_FRAMES = 20_000
"""Frames over all targets where nothing else is asked for: some seconds. `make test` asks for 200 000."""
DEFAULT_SEED = 20261122

HANG_S = 0.050
HANG_OCTETS = 2048
NO_END_S = 1.0
"""CPU of one frame after which it is given up."""

_RANDOM_SHARE = 0.02
_MEASURED_AGAIN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One layer under fire.

    `feed` takes octets and may raise nothing but `allowed`; `grammar` makes octets that are almost right, `samples` are
    right ones to break; `weight` is the share of the frames.
    """

    name: str
    feed: Callable[[bytes], object]
    grammar: Callable[[random.Random], bytes]
    samples: Sequence[bytes]
    allowed: tuple[type[Exception], ...] = (MalformedError,)
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A frame that a layer did not stand, and how to see it again."""

    target: str
    seed: int
    number: int
    octets: bytes
    fault: str

    def __str__(self) -> str:
        """All that is needed to replay it."""
        return (
            f"{self.target}: {self.fault} on frame {self.number} of seed {self.seed} "
            f"(--fuzz-seed {self.seed}): {self.octets.hex()}"
        )


class NoEndError(BaseException):
    """A frame took more than NO_END_S; no decoder can catch this by mistake."""


def shares(targets: Sequence[Target], frames: int) -> dict[str, int]:
    """How many of the frames each target gets: all of them in all, at least one each."""
    weights = sum(target.weight for target in targets)
    return {target.name: max(1, -(-frames * target.weight // weights)) for target in targets}


def frames_of(target: Target, *, frames: int, seed: int) -> Iterator[bytes]:
    """The frames a target is fed: the same ones for the same seed."""
    dice = random.Random(f"{target.name} {seed}")
    for _ in range(frames):
        choice = dice.random()
        if choice < _RANDOM_SHARE:
            yield dice.randbytes(dice.randint(0, 64))
        elif choice < 0.5:
            yield mutate(dice.choice(target.samples), dice)
        elif choice < 0.75:
            yield mutate(target.grammar(dice), dice)
        else:
            yield target.grammar(dice)


def fuzz(target: Target, *, frames: int, seed: int = DEFAULT_SEED) -> Finding | None:
    """Feed that many frames; the first that the layer does not stand, or None."""
    with _watch() as progress:
        for number, octets in enumerate(frames_of(target, frames=frames, seed=seed)):
            progress[0] = number
            fault = _fault(target, octets)
            if fault:
                return Finding(target=target.name, seed=seed, number=number, octets=octets, fault=fault)
    return None


def _fault(target: Target, octets: bytes) -> str:
    """What the layer did wrong with the octets, or an empty text."""
    limit_s = HANG_S * max(1.0, len(octets) / HANG_OCTETS)
    started = time.thread_time()
    try:
        target.feed(octets)
    except target.allowed:
        pass
    except NoEndError:
        return f"no end within {NO_END_S} s"
    except Exception as error:  # noqa: BLE001 - any escape is what is searched for
        return f"{type(error).__name__}: {error}"
    spent_s = time.thread_time() - started
    if spent_s <= limit_s:
        return ""
    spent_s = min(spent_s, *(_spent_s(target, octets) for _ in range(_MEASURED_AGAIN)))
    return f"{spent_s:.3f} s, at most {limit_s:.3f} s" if spent_s > limit_s else ""


def _spent_s(target: Target, octets: bytes) -> float:
    """The CPU of one frame once more: a pause of the machine or the garbage collector does not come every time."""
    started = time.thread_time()
    with suppress(*target.allowed):
        target.feed(octets)
    return time.thread_time() - started


@contextmanager
def _watch() -> Iterator[list[int]]:
    """Raise NoEndError in a frame that is still the same after two ticks; its number is kept in the list.

    The garbage collector rests meanwhile: its pauses are no hangs, and what is raised in its callbacks is lost.
    """
    progress, seen = [0], [-1]

    def tick(_signal: int, _frame: FrameType | None) -> None:
        if progress[0] == seen[0]:
            seen[0] = -1
            raise NoEndError
        seen[0] = progress[0]

    was_collecting = gc.isenabled()
    gc.disable()
    before = signal.signal(signal.SIGVTALRM, tick)
    signal.setitimer(signal.ITIMER_VIRTUAL, NO_END_S / 2, NO_END_S / 2)
    try:
        yield progress
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
        if was_collecting:
            gc.enable()
