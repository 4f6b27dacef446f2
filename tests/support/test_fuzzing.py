"""The harness itself: what it calls a finding, what it does not, and what it leaves behind."""

import gc
import signal

import pytest

from dlms_objects.wire.errors import MalformedError
from tests.support.fuzzing import Finding, NoEndError, Target, frames_of, fuzz, shares


def target(feed, **parts):
    return Target(name="one layer", feed=feed, grammar=lambda dice: dice.randbytes(8), samples=[b"abcdefgh"], **parts)


def refuse(_octets):
    raise MalformedError("no")


def escape(octets):
    if 0x80 in octets:
        raise IndexError("far away")


def never_end(octets):
    while 0x80 in octets:
        pass


def stubborn(octets):
    """Swallows all exceptions, but not the watch's."""
    try:
        never_end(octets)
    except Exception:  # noqa: BLE001 - the very fault
        return


def slow(octets):
    if 0x80 in octets:
        sum(range(15_000_000))


@pytest.mark.parametrize("feed", [refuse, len], ids=["refuses", "takes"])
def test_refusing_and_taking_are_no_findings(feed):
    assert fuzz(target(feed), frames=500) is None


@pytest.mark.parametrize(
    ("feed", "fault"),
    [(escape, "IndexError: far away"), (slow, "at most 0.050 s"), (never_end, "no end"), (stubborn, "no end")],
)
def test_an_escape_a_hang_and_no_end_are_found_and_can_be_replayed(feed, fault):
    finding = fuzz(target(feed), frames=2000, seed=7)
    assert isinstance(finding, Finding)
    assert fault in finding.fault
    assert 0x80 in finding.octets
    assert list(frames_of(target(feed), frames=finding.number + 1, seed=7))[-1] == finding.octets
    assert all(part in str(finding) for part in ("one layer", fault, "--fuzz-seed 7", finding.octets.hex()))


def test_what_a_layer_may_raise_is_its_own():
    assert fuzz(target(escape, allowed=(MalformedError, IndexError)), frames=500) is None


def test_frames_are_shared_by_weight_and_every_target_gets_one():
    one, three = target(len), Target(name="heavy", feed=len, grammar=bytes, samples=[b""], weight=3)
    assert shares([one, three], 400) == {"one layer": 100, "heavy": 300}
    assert shares([one, three], 1) == {"one layer": 1, "heavy": 1}


def test_nothing_is_left_behind():
    before = signal.getsignal(signal.SIGVTALRM)
    fuzz(target(len), frames=5)
    assert signal.getsignal(signal.SIGVTALRM) is before
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    assert gc.isenabled()
    gc.disable()
    try:
        fuzz(target(len), frames=5)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_no_decoder_catches_the_watch_by_mistake():
    assert not issubclass(NoEndError, Exception)
