"""HDLC under fire: frames in a stream, and both roles of a link. What a peer sends never raises; the answers are sound.

Imported by `fuzz_targets`.
"""

from datetime import timedelta
from random import Random

from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.events import SendOctets
from dlms_objects.wire.hdlc_address import HdlcAddress
from dlms_objects.wire.hdlc_client import ClientLink
from dlms_objects.wire.hdlc_control import FrameKind, unnumbered
from dlms_objects.wire.hdlc_events import ApduReceived, Connect, LinkOpened, UnconfirmedReceived
from dlms_objects.wire.hdlc_frame import HdlcFrame
from dlms_objects.wire.hdlc_link import Link
from dlms_objects.wire.hdlc_parameters import LinkLimits, LinkParameters
from dlms_objects.wire.hdlc_reader import MAXIMUM_HELD_OCTETS, HdlcReader
from dlms_objects.wire.hdlc_segments import LLC_COMMAND, LLC_RESPONSE
from dlms_objects.wire.hdlc_server import ServerLink
from tests.support.links import CLIENT, NOW, SERVER, client_parameters, limits

OTHERS = (HdlcAddress.server(1, 300), HdlcAddress.client(1), HdlcAddress(upper=0x7F, lower=0x7F, octet_count=2))
MOST_EVENTS = 1000
REQUEST = LLC_COMMAND + bytes.fromhex("c001c100030100010800ff0200")
ANSWER = LLC_RESPONSE + bytes.fromhex("c401c10006000000ff")
SNRM = unnumbered(FrameKind.SNRM, poll_final=True)


def stream(dice: Random) -> bytes:
    """Some frames, mostly whole, with noise between them."""
    pieces = []
    for _ in range(dice.randint(1, 4)):
        if dice.random() < 0.2:
            pieces.append(dice.randbytes(dice.randint(1, 12)))
        octets = _frame(dice, dice.choice((CLIENT, *OTHERS)), dice.choice((SERVER, *OTHERS)))
        pieces.append(octets[1:] if dice.random() < 0.1 else octets)
    return b"".join(pieces)


def to_server(dice: Random) -> bytes:
    """What a client may say, in any order; a good link is the likeliest."""
    frames = [HdlcFrame(SERVER, CLIENT, SNRM, limits(dice.choice((1, 128, 2030))).encode()).encode()]
    return b"".join(frames + [_frame(dice, CLIENT, SERVER) for _ in range(dice.randint(0, 4))])


def to_client(dice: Random) -> bytes:
    """What a server may say after an SNRM, in any order."""
    accepted = HdlcFrame(CLIENT, SERVER, unnumbered(FrameKind.UA, poll_final=True), limits().encode())
    frames = [accepted.encode()] if dice.random() < 0.8 else []
    return b"".join(frames + [_frame(dice, SERVER, CLIENT) for _ in range(dice.randint(0, 4))])


def _frame(dice: Random, source: HdlcAddress, destination: HdlcAddress) -> bytes:
    payload = dice.choice((b"", REQUEST, ANSWER, dice.randbytes(dice.randint(1, 40)), LinkLimits().encode()))
    control = dice.choice((SNRM, 0x10, 0x30, 0x13, 0x31, 0x51, 0x73, 0x53, dice.randrange(256)))
    frame = HdlcFrame(destination, source, control, payload, segmented=dice.random() < 0.2)
    return frame.encode()


def feed_frames(octets: bytes) -> None:
    """Whole or in cuts the stream gives the same frames, each as it stands in it; what is held has a limit."""
    whole = _read([octets])
    assert whole == _read([octets[start : start + 5] for start in range(0, len(octets), 5)]), "cuts change the frames"
    for frame in whole:
        assert frame.encode() in octets, "it reads what nobody sent"
    if not whole:
        raise MalformedError("no frame")


def _read(pieces: list[bytes]) -> list[HdlcFrame]:
    reader = HdlcReader()
    frames: list[HdlcFrame] = []
    for piece in pieces:
        frames.extend(frame for frame in reader.receive(piece) if frame is not None)
        assert reader.held_octets <= MAXIMUM_HELD_OCTETS, "it holds too much"
    return frames


def feed_server(octets: bytes) -> None:
    """A server, asked anything, answers in frames of its own to whoever asked, and is not for ever busy."""
    link = ServerLink(LinkParameters(own=SERVER, limits=limits(128, 3)))
    _drive(link, octets)


def feed_client(octets: bytes) -> None:
    """A client that has asked for a link, answered anything."""
    link = ClientLink(client_parameters())
    link.send(Connect(), NOW)
    _drive(link, octets)


def _drive(link: Link, octets: bytes) -> None:
    """Feed the octets, let time pass, feed them again; MalformedError when nothing was taken in."""
    count, taken, now = 0, 0, NOW
    for _ in range(2):
        link.receive_data(octets, now)
        while (event := link.next_event()) is not None:
            count += 1
            taken += isinstance(event, LinkOpened | ApduReceived | UnconfirmedReceived)
            assert count < MOST_EVENTS, "there is no end of events"
            if isinstance(event, SendOctets):
                reader = HdlcReader()
                assert None not in reader.receive(event.octets), "it answers in broken frames"
        due = link.next_timeout()
        assert due is None or due - now < timedelta(hours=1), "it waits for ever"
        now = now + timedelta(minutes=10)
        link.handle_timeout(now)
    if not taken:
        raise MalformedError("nothing came of it")
