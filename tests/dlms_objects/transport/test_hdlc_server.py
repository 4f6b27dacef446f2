"""A station on its line: each link is a connection of the meter's protocol, from its opening to its end."""

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock

from dlms_objects.transport.hdlc_server import HdlcServer
from dlms_objects.transport.shared_line import SharedLine
from dlms_objects.wire.hdlc_client import ClientLink
from dlms_objects.wire.hdlc_control import FrameKind
from dlms_objects.wire.hdlc_events import ApduReceived, Connect, LinkClosed, LinkEnd, LinkOpened, SendApdu
from dlms_objects.wire.hdlc_frame import HdlcFrame
from dlms_objects.wire.hdlc_reader import HdlcReader
from dlms_objects.wire.wrapper import encode_frame
from tests.support.bus import Bus, Recorder, Recorders
from tests.support.links import (
    CLIENT,
    NOW,
    SERVER,
    TIMES,
    client_parameters,
    drained,
    limits,
    server_parameters,
    to_server,
)


class Station:
    """A server on a bus, and what a client's link makes of its octets."""

    def __init__(self, factory: Recorders, information: int = 64) -> None:
        self.clock, self.factory = Clock(), factory
        self.clock.advance(NOW.timestamp())
        bus, line = Bus(self.clock, octet_s=0), SharedLine(self.clock)
        parameters = server_parameters(limits=limits(information))
        self.server = HdlcServer(self.clock, line, parameters, factory)
        bus.join(line)
        self.ear = Recorder()
        bus.join(self.ear)
        self.client = ClientLink(client_parameters())

    @property
    def protocol(self) -> Recorder:
        return self.factory.made[-1]

    def say(self, octets: bytes) -> list[HdlcFrame]:
        """Octets from the client; the frames that come back."""
        self.ear.heard.clear()
        self.ear.transport.write(octets)
        self.clock.advance(0)
        self.clock.advance(0)
        return [frame for frame in HdlcReader().receive(b"".join(self.ear.heard)) if frame is not None]

    def ask(self, command: Connect | SendApdu) -> list[object]:
        """A command of the client's link, exchanged to its end; the events of the link."""
        octets, events = self.client.send(command, NOW), []
        for _ in range(20):
            answers = self.say(octets)
            self.client.receive_data(b"".join(frame.encode() for frame in answers), NOW)
            new = drained(self.client)
            events += [event for event in new if not hasattr(event, "octets")]
            octets = b"".join(event.octets for event in new if hasattr(event, "octets"))
            if not octets:
                break
        return events


def back(octets: bytes) -> bytes:
    return encode_frame(1, 16, octets[8:])


def test_each_link_is_a_connection_and_its_frames_have_the_saps_of_the_link() -> None:
    station = Station(Recorders(back))
    assert isinstance(station.ask(Connect())[0], LinkOpened)
    assert str(station.protocol.transport.getPeer()) == f"HDLC {CLIENT}"
    assert str(station.protocol.transport.getHost()) == f"HDLC {SERVER}"
    assert station.ask(SendApdu(b"request")) == [ApduReceived(b"request")]
    assert station.protocol.heard == [encode_frame(16, 1, b"request")]
    assert [frame.kind for frame in station.say(to_server(0x53))] == [FrameKind.UA]
    assert station.protocol.lost.check(ConnectionDone)


def test_a_new_snrm_is_a_new_connection() -> None:
    station = Station(Recorders())
    station.say(to_server(0x93))
    assert [frame.kind for frame in station.say(to_server(0x93))] == [FrameKind.UA]
    first, second = station.factory.made
    assert first.lost.check(ConnectionLost)
    assert "reset" in first.lost.getErrorMessage()
    assert second.lost is None


def test_a_protocol_that_leaves_has_said_all_before() -> None:
    station = Station(Recorders(), information=20)
    station.ask(Connect())
    octets = station.client.send(SendApdu(b"request"), NOW)
    assert station.say(octets) == []
    station.protocol.transport.writeSequence([encode_frame(1, 16, bytes(100))])
    station.protocol.transport.loseConnection()
    station.protocol.transport.loseConnection()
    assert station.protocol.lost is None
    station.clock.advance(0)
    answers = station.ear.heard
    events: list[object] = []
    for _ in range(20):
        station.client.receive_data(b"".join(answers), NOW)
        new = drained(station.client)
        events += [event for event in new if not hasattr(event, "octets")]
        answers = [frame.encode() for event in new if hasattr(event, "octets") for frame in station.say(event.octets)]
    assert events == [ApduReceived(bytes(100))]
    assert station.protocol.lost.check(ConnectionDone)
    assert [frame.kind for frame in station.say(to_server(0x11))] == [FrameKind.DM]


def test_after_the_end_a_protocol_speaks_to_nobody() -> None:
    station = Station(Recorders())
    station.ask(Connect())
    station.protocol.transport.abortConnection()
    assert station.protocol.lost.check(ConnectionDone)
    for leave in (station.protocol.transport.abortConnection, station.protocol.transport.loseConnection):
        leave()
    station.protocol.transport.write(encode_frame(1, 16, b"late"))
    assert [frame.kind for frame in station.say(to_server(0x11))] == [FrameKind.DM]


def test_without_a_protocol_there_is_no_link() -> None:
    station = Station(Recorders(limit=0))
    station.say(to_server(0x93))
    assert [frame.kind for frame in station.say(to_server(0x11))] == [FrameKind.DM]
    assert station.factory.made == []


def test_a_silent_client_is_forgotten() -> None:
    station = Station(Recorders())
    station.ask(Connect())
    station.clock.advance(TIMES.inactivity_s)
    assert station.protocol.lost.check(ConnectionDone)


def test_a_broken_rule_ends_the_connection() -> None:
    station = Station(Recorders())
    station.ask(Connect())
    assert [frame.kind for frame in station.say(to_server(0xFF))] == [FrameKind.FRMR]
    assert "violation" in station.protocol.lost.getErrorMessage()
    station.client.receive_data(station.say(to_server(0x11))[0].encode(), NOW)
    assert drained(station.client) == [LinkClosed(LinkEnd.REJECTED)]


def test_an_unconfirmed_apdu_is_nobody_s_and_harms_nothing() -> None:
    station = Station(Recorders())
    station.ask(Connect())
    assert station.say(to_server(0x03, b"\xe6\xe6\x00\xc0")) == []
    assert (station.protocol.heard, station.protocol.lost) == ([], None)
