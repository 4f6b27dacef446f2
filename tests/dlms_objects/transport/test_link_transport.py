"""A link as a transport: wrapper frames on one side, APDUs on the other, and silence after the end."""

import pytest
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from dlms_objects.transport.link_transport import HdlcPeer, LinkTransport
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.wrapper import encode_frame
from tests.support.bus import Recorder
from tests.support.links import CLIENT, SERVER


class Owner:
    def __init__(self) -> None:
        self.calls: list[object] = []

    def say(self, apdu: bytes) -> None:
        self.calls.append(apdu)

    def hang_up(self) -> None:
        self.calls.append("hang up")

    def abort(self) -> None:
        self.calls.append("abort")


def connected() -> tuple[Owner, Recorder, LinkTransport]:
    owner, protocol = Owner(), Recorder()
    transport = LinkTransport(owner, protocol, own=CLIENT, peer=SERVER)
    transport.connect()
    assert protocol.transport is transport
    return owner, protocol, transport


def test_headers_are_put_on_and_taken_off() -> None:
    owner, protocol, transport = connected()
    frame = encode_frame(16, 1, b"request")
    transport.write(frame[:5])
    transport.writeSequence([frame[5:], encode_frame(16, 1, b"next")])
    transport.deliver(b"answer")
    assert (owner.calls, protocol.heard) == ([b"request", b"next"], [encode_frame(1, 16, b"answer")])


def test_it_is_ended_once() -> None:
    owner, _, transport = connected()
    transport.loseConnection()
    transport.loseConnection()
    transport.abortConnection()
    assert owner.calls == ["hang up", "abort"]


def test_a_producer_is_taken_and_never_paused() -> None:
    owner, protocol, transport = connected()
    transport.registerProducer(protocol, True)
    transport.pauseProducing()
    transport.write(encode_frame(16, 1, b"request"))
    transport.deliver(b"answer")
    transport.resumeProducing()
    transport.unregisterProducer()
    transport.stopProducing()
    assert (owner.calls, protocol.heard) == ([b"request", "hang up"], [encode_frame(1, 16, b"answer")])


def test_nothing_passes_after_the_end() -> None:
    owner, protocol, transport = connected()
    reason = Failure(ConnectionDone())
    transport.close(reason)
    transport.write(encode_frame(16, 1, b"late"))
    transport.deliver(b"late")
    transport.loseConnection()
    transport.abortConnection()
    assert (owner.calls, protocol.heard, protocol.lost) == ([], [], reason)


def test_what_is_no_wrapper_frame_is_our_own_fault() -> None:
    _, _, transport = connected()
    with pytest.raises(MalformedError):
        transport.write(b"no header here")


def test_addresses_are_those_of_the_link() -> None:
    _, _, transport = connected()
    assert (str(transport.getHost()), str(transport.getPeer())) == ("HDLC 16", "HDLC 1/17")
    assert HdlcPeer(SERVER).address is SERVER
