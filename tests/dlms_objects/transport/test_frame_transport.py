"""What carries single frames: each is handed on by itself, and nothing after the end."""

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from dlms_objects.transport.frame_transport import FrameTransport
from dlms_objects.wire.wrapper import Frame, encode_frame
from tests.support.bus import Recorder

HERE, THERE = IPv4Address("UDP", "192.0.2.1", 4059), IPv4Address("UDP", "192.0.2.2", 50_000)


class Carrier(FrameTransport):
    def __init__(self, protocol: Recorder) -> None:
        super().__init__(protocol, host=HERE, peer=THERE)
        self.calls: list[object] = []

    def _carry(self, frame: Frame) -> None:
        self.calls.append(frame)

    def _hang_up(self) -> None:
        self.calls.append("hang up")

    def _leave(self) -> None:
        self.calls.append("leave")


def test_frames_written_in_pieces_or_together_are_carried_one_by_one() -> None:
    protocol = Recorder()
    carrier = Carrier(protocol)
    carrier.connect()
    assert protocol.transport is carrier
    octets = encode_frame(1, 2, b"a") + encode_frame(3, 4, b"b")
    carrier.write(octets[:5])
    carrier.writeSequence([octets[5:12], octets[12:]])
    assert carrier.calls == [Frame(1, 2, b"a"), Frame(3, 4, b"b")]
    assert (carrier.getHost(), carrier.getPeer()) == (HERE, THERE)


def test_it_ends_once_and_then_carries_and_delivers_nothing() -> None:
    protocol = Recorder()
    carrier = Carrier(protocol)
    carrier.connect()
    carrier.stopProducing()
    carrier.loseConnection()
    carrier.close(Failure(ConnectionDone()))
    carrier.abortConnection()
    carrier.write(encode_frame(1, 2, b"a"))
    carrier.deliver(b"late")
    assert carrier.calls == ["hang up"]
    assert protocol.heard == []
    assert protocol.lost.check(ConnectionDone)
