"""The driver of a link: its timer is at the link's deadline, and nothing happens after its end."""

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from dlms_objects.transport.link_driver import LinkDriver
from dlms_objects.transport.shared_line import SharedLine
from dlms_objects.wire.hdlc_events import LinkEvent
from dlms_objects.wire.hdlc_server import ServerLink
from tests.support.links import NOW, TIMES, seconds, server_parameters, to_server


class Driver(LinkDriver):
    def __init__(self, clock: Clock, line: SharedLine) -> None:
        super().__init__(clock, line, ServerLink(server_parameters()))
        self.events: list[LinkEvent] = []
        self.rests = 0
        self.lost: Failure | None = None
        self.leaves = False

    def _take(self, event: LinkEvent) -> None:
        self.events.append(event)
        if self.leaves:
            self._stop()

    def _rest(self) -> None:
        self.rests += 1

    def _lost(self, reason: Failure) -> None:
        self.lost = reason


def driven() -> tuple[Clock, SharedLine, Driver]:
    clock = Clock()
    clock.advance(NOW.timestamp())
    line = SharedLine(clock)
    line.makeConnection(StringTransport())
    return clock, line, Driver(clock, line)


def test_the_timer_follows_the_deadline_of_the_link() -> None:
    clock, line, driver = driven()
    line.dataReceived(to_server(0x93))
    assert [call.getTime() for call in clock.getDelayedCalls()] == [(NOW + seconds(TIMES.inactivity_s)).timestamp()]
    line.dataReceived(to_server(0x11)[:4])  # stops half way
    assert [call.getTime() for call in clock.getDelayedCalls()] == [(NOW + seconds(TIMES.inter_octet_s)).timestamp()]
    clock.advance(TIMES.inter_octet_s)
    assert [call.getTime() for call in clock.getDelayedCalls()] == [(NOW + seconds(TIMES.inactivity_s)).timestamp()]
    assert driver.rests == 3
    clock.advance(TIMES.inactivity_s)
    assert clock.getDelayedCalls() == []


def test_after_the_end_nothing_is_taken_and_no_timer_runs() -> None:
    clock, line, driver = driven()
    driver.leaves = True
    line.dataReceived(to_server(0x93))
    assert (len(driver.events), driver.rests, clock.getDelayedCalls(), line.has_listeners) == (1, 0, [], False)
    driver.heard(to_server(0x93))
    assert len(driver.events) == 1


def test_a_line_that_is_gone_ends_the_link() -> None:
    clock, line, driver = driven()
    line.dataReceived(to_server(0x93))
    reason = Failure(ValueError("gone"))
    line.connectionLost(reason)
    assert (driver.lost, clock.getDelayedCalls()) == (reason, [])
