"""The server's end of an HDLC link, sans-I/O: it speaks when it is asked, and only to the client that opened the link.

`receive_data` or `handle_timeout`, then `next_event` until None; answer each ApduReceived with `send(SendApdu(...))`.
Here: the reactions of the server's state table. Not here: what both ends share (`hdlc_link`). Imported by the meter.

Decisions: an SNRM of another client takes the link over, since a client that crashed would lock out all others until
the inactivity time-out; an SNRM of the same client resets the link; a frame that breaks a rule is answered by FRMR
until the client connects anew, and the application hears of it at once.
"""

from datetime import datetime, timedelta
from typing import Final

from dlms_objects.errors import LocalError
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.events import SendOctets
from dlms_objects.wire.hdlc_control import FrameKind, supervisory
from dlms_objects.wire.hdlc_events import (
    Connect,
    Disconnect,
    LinkClosed,
    LinkCommand,
    LinkEnd,
    LinkOpened,
    SendApdu,
    SendUnconfirmed,
)
from dlms_objects.wire.hdlc_frame import HdlcFrame
from dlms_objects.wire.hdlc_link import Link
from dlms_objects.wire.hdlc_parameters import LinkLimits, LinkParameters, decode_limits
from dlms_objects.wire.hdlc_states import SERVER_LINK, LinkCell, LinkReaction, ServerLinkInput, ServerLinkState

UNDEFINED_CONTROL: Final = 0x01
FIELD_NOT_PERMITTED: Final = 0x02
FIELD_TOO_LONG: Final = 0x04
WRONG_SEQUENCE: Final = 0x08
"""W, X, Y, Z of the FRMR information field, as in ISO/IEC 13239."""

_I, _S = ServerLinkInput, ServerLinkState
_COMMANDS: Final[dict[type[LinkCommand], ServerLinkInput]] = {
    Connect: _I.CONNECT,
    SendApdu: _I.SEND,
    SendUnconfirmed: _I.SEND_UNCONFIRMED,
    Disconnect: _I.DISCONNECT,
}
_INPUTS: Final = {
    FrameKind.I: _I.I,
    FrameKind.RR: _I.RR,
    FrameKind.RNR: _I.RNR,
    FrameKind.SNRM: _I.SNRM,
    FrameKind.DISC: _I.DISC,
    FrameKind.UI: _I.UI,
}
_SUPERVISORY: Final = (FrameKind.RR, FrameKind.RNR)
_ENDS: Final = {
    FrameKind.UA: LinkEnd.REQUESTED,
    FrameKind.DM: LinkEnd.RESET,
    FrameKind.FRMR: LinkEnd.VIOLATION,
}
_OPEN_STATES: Final = (_S.CONNECTED, _S.ANSWERING)


class ServerLink(Link):
    """One server on its line, for one client at a time."""

    def __init__(self, parameters: LinkParameters) -> None:
        """`parameters.own` is our address; frames for any other are ignored."""
        super().__init__(parameters, is_server=True)
        self._state = _S.DISCONNECTED
        self._owes_answer = False
        self._rejection = b""

    @property
    def state(self) -> ServerLinkState:
        """Where the link stands."""
        return self._state

    def send(self, command: LinkCommand, now: datetime) -> bytes:
        """The octets to put on the line at once, none when they wait for the client's next question.

        LocalError, and nothing changes, when the command has no place now.
        """
        cell = SERVER_LINK[self._state, _COMMANDS[type(command)]]
        if cell.reaction is LinkReaction.MISUSE:
            raise LocalError(f"{type(command).__name__} has no place while {self._state.name.lower()}")
        if isinstance(command, SendUnconfirmed):
            return self._unconfirmed_frames(command)
        if isinstance(command, SendApdu):
            self._put(command.apdu)
            self._owes_answer = False
        octets = b""
        if cell.reaction is LinkReaction.TAKE_TURN:
            octets = self._turn()[0]
        elif cell.reaction is LinkReaction.DENY:
            octets = self._unnumbered(FrameKind.DM)
        if isinstance(command, Disconnect) and self._state in _OPEN_STATES:
            self._close(LinkEnd.REQUESTED)
        self._enter(cell, now)
        return octets

    # --- what came ---

    def _take(self, frame: HdlcFrame, now: datetime) -> None:
        kind, destination = frame.kind, frame.destination
        is_broadcast = destination.is_broadcast and kind is FrameKind.UI
        if not is_broadcast and not destination.is_same_station(self._parameters.own):
            return
        if kind is FrameKind.UI:
            if SERVER_LINK[self._state, _I.UI].reaction is LinkReaction.DELIVER:
                self._deliver_unconfirmed(frame, now)
            return
        if self._state is _S.DISCONNECTED or kind is FrameKind.SNRM:
            self._peer, self._own = frame.source, destination  # answered in the form it was asked
        elif frame.source != self._peer:
            return
        cause = _violated_rule(frame, self._limits)
        input_ = _I.VIOLATION if cause else _INPUTS[kind]
        cell = SERVER_LINK[self._state, input_]
        if cell.reaction is not LinkReaction.EXAMINE:
            self._answer(cell, frame, now, cause)
        elif input_ is _I.SNRM:
            self._examine_snrm(frame, now)
        else:
            self._examine(frame, now)

    def _answer(self, cell: LinkCell[ServerLinkState], frame: HdlcFrame, now: datetime, cause: int) -> None:
        """DM, UA or FRMR; only a frame that hands us the turn gets it."""
        kind, payload = FrameKind.UA, b""
        if cell.reaction is LinkReaction.DENY:
            kind = FrameKind.DM
        elif cell.reaction is LinkReaction.REJECT:
            if self._state is not _S.REJECTING:
                self._rejection = self._reject_octets(frame, cause)
            kind, payload = FrameKind.FRMR, self._rejection
        if self._state in _OPEN_STATES:
            self._close(_ENDS[kind])
        if frame.is_last:
            self._say(self._unnumbered(kind, payload))
        self._enter(cell, now)

    def _examine_snrm(self, frame: HdlcFrame, now: datetime) -> None:
        try:
            limits = self._parameters.limits.agreed(decode_limits(frame.payload))
        except MalformedError:
            self._answer(SERVER_LINK[self._state, _I.BROKEN], frame, now, 0)
            return
        if self._state in _OPEN_STATES:
            self._close(LinkEnd.RESET)
        self._open(limits)
        self._owes_answer = False
        self._enter(SERVER_LINK[self._state, _I.AGREED], now)
        self._say(self._unnumbered(FrameKind.UA, limits.encode()))
        self._events.append(LinkOpened(frame.source, limits))

    def _examine(self, frame: HdlcFrame, now: datetime) -> None:
        """A frame of the client's turn."""
        window = self._window
        if window.acknowledge(frame.received) is None:
            self._reject(frame, now, WRONG_SEQUENCE)
            return
        window.is_peer_busy = frame.kind is FrameKind.RNR
        is_news = frame.kind is FrameKind.I and frame.sent == window.expected
        is_too_early = is_news and self._owes_answer
        if is_news and not is_too_early:
            try:
                self._owes_answer = self._accept(frame)
            except MalformedError:
                self._reject(frame, now, FIELD_NOT_PERMITTED)
                return
        if not frame.is_last:
            self._enter(LinkCell(LinkReaction.MOVE, self._state), now)
        elif is_too_early:
            self._react(_I.TOO_EARLY, now)
        elif self._owes_answer and (not window.has_work or window.is_peer_busy):
            self._react(_I.OWED, now)
        else:
            self._react(_I.OUR_TURN, now)

    def _reject(self, frame: HdlcFrame, now: datetime, cause: int) -> None:
        self._answer(SERVER_LINK[self._state, _I.VIOLATION], frame, now, cause)

    def _reject_octets(self, frame: HdlcFrame, cause: int) -> bytes:
        """The information field of FRMR: the control field refused, our sequence variables, and why."""
        window = self._window
        return bytes((frame.control, window.expected << 5 | window.next_to_send << 1, cause))

    # --- what is overdue ---

    def _late(self, now: datetime) -> None:
        self._react(_I.ANSWER_LATE if self._state is _S.ANSWERING else _I.INACTIVE, now)

    # --- the state ---

    def _react(self, input_: ServerLinkInput, now: datetime) -> None:
        cell = SERVER_LINK[self._state, input_]
        if cell.reaction is LinkReaction.TAKE_TURN:
            self._say(self._turn()[0])
        elif cell.reaction is LinkReaction.HOLD_OFF:
            self._say(self._frame(supervisory(FrameKind.RNR, self._window.expected, poll_final=True)))
        elif cell.reaction is LinkReaction.CLOSE:
            self._close(LinkEnd.INACTIVITY)
        self._enter(cell, now)

    def _enter(self, cell: LinkCell[ServerLinkState], now: datetime) -> None:
        """Take the next state and its deadline; one that runs for an answer is not put off."""
        state, self._state = self._state, cell.next
        if cell.next is _S.ANSWERING:
            if state is not _S.ANSWERING:
                self._deadline = now + timedelta(seconds=self._times.answer_s)
        elif cell.next is _S.DISCONNECTED:
            self._deadline = None
        else:
            self._deadline = now + timedelta(seconds=self._times.inactivity_s)

    def _say(self, octets: bytes) -> None:
        self._events.append(SendOctets(octets))

    def _close(self, end: LinkEnd) -> None:
        self._events.append(LinkClosed(end))


def _violated_rule(frame: HdlcFrame, limits: LinkLimits) -> int:
    """W, X, Y or Z when the frame breaks a rule, whatever the state; else 0."""
    kind, length = frame.kind, len(frame.payload)
    if kind not in _INPUTS:
        return UNDEFINED_CONTROL
    if kind is FrameKind.I and length > limits.information_received:
        return FIELD_TOO_LONG
    return FIELD_NOT_PERMITTED | UNDEFINED_CONTROL if kind in _SUPERVISORY and length else 0
