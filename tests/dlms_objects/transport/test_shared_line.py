"""A line that several share: one at a time, with a rest before each turn, and all hear everything."""

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from dlms_objects.transport.shared_line import SharedLine
from tests.support.twisted_testing import has_result


class Ear:
    def __init__(self) -> None:
        self.octets = b""
        self.lost: Failure | None = None

    def heard(self, octets: bytes) -> None:
        self.octets += octets

    def line_lost(self, reason: Failure) -> None:
        self.lost = reason


def connected(turnaround_s: float = 0.0) -> tuple[Clock, SharedLine, StringTransport]:
    clock, transport = Clock(), StringTransport()
    line = SharedLine(clock, turnaround_s=turnaround_s)
    line.makeConnection(transport)
    return clock, line, transport


def test_all_hear_everything_until_they_leave_and_the_last_one_closes_the_line() -> None:
    _, line, transport = connected()
    one, other = Ear(), Ear()
    line.attach(one)
    line.attach(other)
    line.dataReceived(b"a")
    line.detach(one)
    line.detach(one)
    line.dataReceived(b"b")
    assert (one.octets, other.octets, line.has_listeners, transport.disconnecting) == (b"a", b"ab", True, False)
    line.detach(other)
    assert (line.has_listeners, transport.disconnecting) == (False, True)


def test_one_leaves_while_octets_are_handed_out() -> None:
    _, line, _ = connected()
    leaving, other = Ear(), Ear()
    leaving.heard = lambda octets: line.detach(leaving)
    line.attach(leaving)
    line.attach(other)
    line.dataReceived(b"a")
    assert other.octets == b"a"


def test_the_line_rests_before_something_is_said_and_keeps_the_order() -> None:
    clock, line, transport = connected(turnaround_s=0.5)
    line.write(b"at once")
    assert transport.value() == b"at once"
    transport.clear()
    line.dataReceived(b"heard")
    line.write(b"one ")
    clock.advance(0.4)
    line.write(b"two")
    assert transport.value() == b""
    clock.advance(0.1)
    assert transport.value() == b"one two"
    line.write(b" three")
    assert transport.value() == b"one two three"


def test_the_line_is_one_station_s_until_it_frees_it() -> None:
    clock, line, _ = connected()
    first, second, third = line.reserve(), line.reserve(), line.reserve()
    assert [has_result(each) for each in (first, second, third)] == [True, False, False]
    line.free()
    assert [has_result(each) for each in (second, third)] == [True, False]
    line.free(after_s=1.0)
    assert not has_result(third)
    clock.advance(1.0)
    assert has_result(third)


def test_what_waits_to_be_said_is_not_said_to_a_line_that_is_gone() -> None:
    clock, line, transport = connected(turnaround_s=0.5)
    ear, reason = Ear(), Failure(ValueError("gone"))
    line.attach(ear)
    line.dataReceived(b"x")
    line.write(b"waits")
    clock.advance(0.5)
    line.dataReceived(b"x")
    line.write(b"never")
    line.connectionLost(reason)
    line.write(b"never either")
    clock.advance(10)
    assert (transport.value(), ear.lost, line.has_listeners) == (b"waits", reason, False)
    line.detach(ear)


def test_a_line_that_was_never_connected_is_left_without_a_word() -> None:
    line, ear = SharedLine(Clock()), Ear()
    line.attach(ear)
    line.detach(ear)
    line.write(b"nothing")
