"""An HDLC client and server joined in memory: the line between them, what befalls octets on it, and time."""

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from dlms_objects.errors import LocalError
from dlms_objects.wire.events import SendOctets
from dlms_objects.wire.hdlc_address import HdlcAddress
from dlms_objects.wire.hdlc_client import ClientLink
from dlms_objects.wire.hdlc_control import unnumbered
from dlms_objects.wire.hdlc_events import ApduReceived, Connect, LinkClosed, LinkCommand, LinkOpened, SendApdu
from dlms_objects.wire.hdlc_frame import HdlcFrame
from dlms_objects.wire.hdlc_parameters import LinkLimits, LinkParameters, LinkTimes
from dlms_objects.wire.hdlc_segments import LLC_COMMAND, LLC_RESPONSE
from dlms_objects.wire.hdlc_server import ServerLink

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CLIENT = HdlcAddress.client(16)
SERVER = HdlcAddress.server(1, 17)
TIMES = LinkTimes(response_s=3.0, retries=5, pause_s=0.2, pauses=20, inter_octet_s=0.5, answer_s=1.0, inactivity_s=60.0)
MAXIMUM_STEPS = 20_000

Fault = Callable[[bytes], Iterable[bytes]]
"""What becomes of octets on the line: the pieces that arrive."""


def whole(octets: bytes) -> Iterator[bytes]:
    """A good line."""
    yield octets


def byte_by_byte(octets: bytes) -> Iterator[bytes]:
    """One octet at a time."""
    for offset in range(len(octets)):
        yield octets[offset : offset + 1]


class Faults:
    """Frames are lost, doubled, cut, changed in a bit or met by noise; the same ones for the same seed."""

    def __init__(self, seed: int, rate: float) -> None:
        """`rate` is the share of turns that something befalls."""
        self.dice = random.Random(seed)
        self.rate = rate

    def __call__(self, octets: bytes) -> list[bytes]:
        """What arrives of a turn."""
        dice = self.dice
        if dice.random() >= self.rate:
            return [octets]
        kind = dice.randrange(5)
        if kind == 0:
            return []
        if kind == 1:
            return [octets, octets]
        if kind == 2:
            return [octets[: dice.randrange(len(octets))]]
        if kind == 3:
            bad = bytearray(octets)
            bad[dice.randrange(len(bad))] ^= 1 << dice.randrange(8)
            return [bytes(bad)]
        return [dice.randbytes(dice.randint(1, 20)), octets]


def limits(information: int = 128, window: int = 1) -> LinkLimits:
    """The same limits both ways."""
    return LinkLimits(
        information_sent=information, information_received=information, window_sent=window, window_received=window
    )


def client_parameters(**changes: Any) -> LinkParameters:
    """A client of SERVER."""
    values: dict[str, Any] = {"own": CLIENT, "peer": SERVER, "times": TIMES}
    return LinkParameters(**values | changes)


def server_parameters(**changes: Any) -> LinkParameters:
    """SERVER."""
    values: dict[str, Any] = {"own": SERVER, "times": TIMES}
    return LinkParameters(**values | changes)


def to_server(control: int, payload: bytes = b"", *, segmented: bool = False, source: HdlcAddress = CLIENT) -> bytes:
    """A frame of the client."""
    return HdlcFrame(SERVER, source, control, payload, segmented).encode()


def to_client(control: int, payload: bytes = b"", *, segmented: bool = False, source: HdlcAddress = SERVER) -> bytes:
    """A frame of the server."""
    return HdlcFrame(CLIENT, source, control, payload, segmented).encode()


def said(kind: Any, *, poll_final: bool = True) -> int:
    """The control field of an unnumbered frame."""
    return unnumbered(kind, poll_final=poll_final)


def drained(link: ClientLink | ServerLink) -> list[Any]:
    """All events that wait."""
    return list(iter(link.next_event, None))


def echo(apdu: bytes) -> bytes:
    """The application of the tests."""
    return b"\xc4" + apdu[::-1]


@dataclass
class LinkPair:
    """Both ends, a line each way, and a clock that jumps to whatever is due next."""

    client: ClientLink
    server: ServerLink
    uplink: Fault = whole
    downlink: Fault = whole
    answer: Callable[[bytes], bytes | None] = echo
    requests: list[bytes] = field(default_factory=list)
    client_events: list[Any] = field(default_factory=list)
    server_events: list[Any] = field(default_factory=list)
    sent_by_client: list[bytes] = field(default_factory=list)
    sent_by_server: list[bytes] = field(default_factory=list)
    now: datetime = NOW

    @classmethod
    def make(cls, client: LinkLimits | None = None, server: LinkLimits | None = None, **changes: Any) -> "LinkPair":
        """A pair with these limits on either side."""
        return cls(
            ClientLink(client_parameters(**{} if client is None else {"limits": client})),
            ServerLink(server_parameters(**{} if server is None else {"limits": server})),
            **changes,
        )

    def connect(self) -> LinkOpened:
        """Open the link."""
        event = self.run(Connect())
        assert isinstance(event, LinkOpened), event
        return event

    def ask(self, apdu: bytes) -> bytes:
        """Send a request and give its answer; AssertionError when the link does not survive."""
        event = self.run(SendApdu(apdu))
        assert isinstance(event, ApduReceived), event
        return event.apdu

    def run(self, command: LinkCommand) -> Any:
        """Carry out a command of the client until it has an end: opened, answered or closed."""
        self._to_server(self.client.send(command, self.now))
        for _ in range(MAXIMUM_STEPS):
            for event in self._from_client():
                if isinstance(event, LinkOpened | ApduReceived | LinkClosed):
                    self._settle()
                    return event
            self.wait()
        raise AssertionError("no end in sight")

    def wait(self) -> None:
        """Let time go on until something is due."""
        due = [time for time in (self.client.next_timeout(), self.server.next_timeout()) if time is not None]
        assert due, "both ends wait for ever"
        self.now = max(self.now, min(due))
        self.server.handle_timeout(self.now)
        self._from_server()
        self.client.handle_timeout(self.now)

    def _settle(self) -> None:
        """Until the client has the turn back."""
        for _ in range(MAXIMUM_STEPS):
            if not self._from_client() and self.client.next_timeout() is None:
                return
            self.wait()
        raise AssertionError("the client never rests")

    def _to_server(self, octets: bytes) -> None:
        self.sent_by_client.append(octets)
        for piece in self.uplink(octets):
            self.server.receive_data(piece, self.now)
            self._from_server()

    def _to_client(self, octets: bytes) -> None:
        self.sent_by_server.append(octets)
        for piece in self.downlink(octets):
            self.client.receive_data(piece, self.now)

    def _from_server(self) -> None:
        for event in drained(self.server):
            if isinstance(event, SendOctets):
                self._to_client(event.octets)
                continue
            self.server_events.append(event)
            if isinstance(event, ApduReceived):
                self.requests.append(event.apdu)
                answer = self.answer(event.apdu)
                if answer is not None:
                    self._to_client(self.server.send(SendApdu(answer), self.now))

    def _from_client(self) -> list[Any]:
        """What the client says now, octets put on the line."""
        events = []
        for _ in count():
            event = self.client.next_event()
            if event is None:
                break
            if isinstance(event, SendOctets):
                self._to_server(event.octets)
            else:
                events.append(event)
        self.client_events += events
        return events


def seconds(count_: float) -> timedelta:
    """A span of time."""
    return timedelta(seconds=count_)


def random_turns(dice: random.Random, frame: Callable[..., bytes]) -> Iterator[bytes]:
    """Good frames with anything in them, now and then damaged, without end; `frame` is `to_server` or `to_client`."""
    controls = [0x93, 0x93, 0x93, 0x73, 0x73, 0x73, 0x53, 0x1F, 0x97, 0x13, 0x03]
    payloads = [b"", LLC_COMMAND + b"\xc0", LLC_RESPONSE + b"\xc4", b"\x81\x80\x00"]
    while True:
        payload = dice.choice((*payloads, dice.randbytes(dice.randint(1, 70))))
        received, sent = (dice.choice((0, 0, 0, 1, 1, 2, dice.randrange(8))) for _ in range(2))
        numbered = received << 5 | 0x10 | dice.choice((0x01, 0x05, sent << 1, sent << 1))
        control = dice.choice((dice.choice(controls), dice.randrange(256), numbered, numbered))
        octets = frame(control, payload, segmented=dice.random() < 0.3)
        yield octets[: dice.randrange(len(octets))] if dice.random() < 0.1 else octets


def escape(
    make: Callable[[], ClientLink | ServerLink],
    frame: Callable[..., bytes],
    commands: list[LinkCommand],
    *,
    seeds: int = 10,
    steps: int = 1000,
) -> Exception | None:
    """Frames, commands and time in any order: what a link lets escape, or None."""
    for seed in range(seeds):
        dice, now, link = random.Random(seed), NOW, make()
        turns = random_turns(dice, frame)
        for _ in range(steps):
            now += seconds(dice.choice((0, 0, 0, 0.01, 0.3, 3.0)))
            kind = dice.randrange(10)
            try:
                if kind == 0:
                    link.handle_timeout(now)
                elif kind < 4:
                    with suppress(LocalError):
                        link.send(dice.choice(commands), now)
                else:
                    link.receive_data(next(turns), now)
            except Exception as error:  # noqa: BLE001 - any escape is what is searched for
                return error
            drained(link)
    return None
