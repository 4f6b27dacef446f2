"""What both ends of an HDLC link share: frames out of octets, UI frames, the inter-octet time-out, the five verbs.

Here: everything that does not depend on the role. Not here: states and turns (`hdlc_client`, `hdlc_server`, which
import this). Sans-I/O: octets and the time go in, events come out.
"""

from abc import ABC, abstractmethod
from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, cast

from dlms_objects.errors import InvalidValueError, LocalError
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.hdlc_control import FrameKind, information, supervisory, unnumbered
from dlms_objects.wire.hdlc_events import ApduReceived, LinkCommand, LinkEvent, SendUnconfirmed, UnconfirmedReceived
from dlms_objects.wire.hdlc_frame import HdlcFrame
from dlms_objects.wire.hdlc_parameters import LinkLimits, LinkParameters
from dlms_objects.wire.hdlc_reader import HdlcReader
from dlms_objects.wire.hdlc_segments import LLC_COMMAND, LLC_RESPONSE, Reassembly, segments
from dlms_objects.wire.hdlc_window import Window

if TYPE_CHECKING:
    from dlms_objects.wire.hdlc_address import HdlcAddress

_EITHER_LLC: Final = (LLC_COMMAND, LLC_RESPONSE)  # meters that push use the one, the other or none


class Link(ABC):
    """One end of one link over one line; frames for others on the line are ignored."""

    def __init__(self, parameters: LinkParameters, *, is_server: bool) -> None:
        """Nothing is sent and nothing is open."""
        self._parameters = parameters
        self._times = parameters.times
        self._own = parameters.own
        self._peer = parameters.peer
        self._is_server = is_server
        self._llc = LLC_RESPONSE if is_server else LLC_COMMAND
        awaited = LLC_COMMAND if is_server else LLC_RESPONSE
        self._reader = HdlcReader()
        self._events: deque[LinkEvent] = deque()
        self._limits = LinkLimits()
        self._window = Window(1)
        self._incoming = Reassembly((awaited,), parameters.maximum_apdu_octets)
        self._unconfirmed = Reassembly(_EITHER_LLC, parameters.maximum_apdu_octets)
        self._unconfirmed_source: HdlcAddress | None = None
        self._unconfirmed_due: datetime | None = None
        self._has_unconfirmed_loss = False
        self._rest_due: datetime | None = None
        self._deadline: datetime | None = None

    @property
    def has_unsent(self) -> bool:
        """True while a part of an APDU waits for its first turn."""
        return self._window.has_unsent

    @property
    def corrupt_frames(self) -> int:
        """How many frames were dropped because they were broken."""
        return self._reader.corrupt_frames

    @property
    def dropped_octets(self) -> int:
        """How many octets belonged to no frame or to a broken one."""
        return self._reader.dropped_octets

    # --- the five verbs ---

    @abstractmethod
    def send(self, command: LinkCommand, now: datetime) -> bytes:
        """The octets to put on the line at once; LocalError, and nothing changes, when the command has no place now."""

    def receive_data(self, octets: bytes, now: datetime) -> None:
        """Take octets as they came. Never raises on what a peer sent."""
        self._drop_overdue_rest(now)
        self._take_all(self._reader.receive(octets), now)

    def next_event(self) -> LinkEvent | None:
        """The next event, or None when octets, a command or time are needed first."""
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> datetime | None:
        """When to call `handle_timeout`; None while nothing is awaited."""
        return self._deadline if self._rest_due is None else self._rest_due

    def handle_timeout(self, now: datetime) -> None:
        """Act on what is overdue; otherwise nothing happens."""
        self._drop_overdue_rest(now)
        if self._rest_due is None and self._deadline is not None and now >= self._deadline:
            self._late(now)

    # --- what a role adds ---

    @abstractmethod
    def _take(self, frame: HdlcFrame, now: datetime) -> None:
        """One good frame, for whomever it is."""

    @abstractmethod
    def _late(self, now: datetime) -> None:
        """The deadline has passed."""

    # --- frames out of octets ---

    def _drop_overdue_rest(self, now: datetime) -> None:
        if self._rest_due is not None and now >= self._rest_due:
            self._take_all(self._reader.drop_partial(), now)

    def _take_all(self, frames: list[HdlcFrame | None], now: datetime) -> None:
        for frame in frames:
            if frame is None:
                self._has_unconfirmed_loss = True
            else:
                self._take(frame, now)
        partial = self._reader.has_partial_frame
        self._rest_due = now + timedelta(seconds=self._times.inter_octet_s) if partial else None

    # --- frames into octets ---

    def _frame(self, control: int, payload: bytes = b"", *, segmented: bool = False) -> bytes:
        """One frame to the peer, which every link has before it says anything but UI."""
        return HdlcFrame(cast("HdlcAddress", self._peer), self._own, control, payload, segmented).encode()

    def _unnumbered(self, kind: FrameKind, payload: bytes = b"") -> bytes:
        return self._frame(unnumbered(kind, poll_final=True), payload)

    def _turn(self) -> tuple[bytes, int]:
        """The octets of one turn, which hand the turn to the peer, and how many I frames are in them."""
        burst, expected = self._window.burst(), self._window.expected
        if not burst:
            return self._frame(supervisory(FrameKind.RR, expected, poll_final=True)), 0
        frames = []
        for number, (sent, segment) in enumerate(burst, 1):
            control = information(sent, expected, poll_final=number == len(burst))
            frames.append(self._frame(control, segment.payload, segmented=segment.segmented))
        return b"".join(frames), len(burst)

    def _put(self, apdu: bytes) -> None:
        """Queue an APDU; LocalError when the one before has not gone."""
        self._check_length(apdu)
        if self._window.has_unsent:
            raise LocalError("another APDU waits for its turn on the HDLC link")
        self._window.put(segments(self._llc, apdu, self._limits.information_sent))

    def _unconfirmed_frames(self, command: SendUnconfirmed) -> bytes:
        """UI frames: a server marks the last one as final, a client leaves the turn where it is."""
        self._check_length(command.apdu)
        destination = command.destination or self._peer
        if destination is None:
            raise LocalError("an unconfirmed APDU needs a destination while there is no link")
        payloads = segments(self._llc, command.apdu, self._limits.information_sent)
        frames = []
        for number, payload in enumerate(payloads, 1):
            is_last = number == len(payloads)
            control = unnumbered(FrameKind.UI, poll_final=is_last and self._is_server)
            frames.append(HdlcFrame(destination, self._own, control, payload, not is_last).encode())
        return b"".join(frames)

    def _check_length(self, apdu: bytes) -> None:
        if not 1 <= len(apdu) <= self._parameters.maximum_apdu_octets:
            raise InvalidValueError(f"an APDU over this HDLC link is 1..{self._parameters.maximum_apdu_octets} octets")

    # --- APDUs ---

    def _open(self, limits: LinkLimits) -> None:
        """Begin with sequence numbers at zero."""
        self._limits = limits
        self._window = Window(limits.window_sent)
        self._incoming.drop()

    def _accept(self, frame: HdlcFrame) -> bool:
        """Take the I frame that was expected; True when it completes an APDU. MalformedError as in `Reassembly.add`."""
        self._window.accept(frame.sent)
        apdu = self._incoming.add(frame.payload, segmented=frame.segmented)
        if apdu is None:
            return False
        self._events.append(ApduReceived(apdu))
        return True

    def _deliver_unconfirmed(self, frame: HdlcFrame, now: datetime) -> None:
        """Put UI frames together. They are not numbered: what may have lost a part is dropped whole."""
        incoming = self._unconfirmed
        is_late = self._unconfirmed_due is not None and now >= self._unconfirmed_due
        is_broken_off = incoming.is_under_way and (is_late or frame.source != self._unconfirmed_source)
        has_loss = is_broken_off or self._has_unconfirmed_loss
        if has_loss:
            incoming.drop()
        if not incoming.is_under_way:
            incoming.needs_llc = has_loss  # a frame without a header may then be the end of what was lost
        self._has_unconfirmed_loss = False
        self._unconfirmed_source = frame.source
        self._unconfirmed_due = now + timedelta(seconds=self._times.response_s)
        try:
            apdu = incoming.add(frame.payload, segmented=frame.segmented)
        except MalformedError:
            return
        if apdu is not None:
            self._events.append(UnconfirmedReceived(apdu, frame.source))
