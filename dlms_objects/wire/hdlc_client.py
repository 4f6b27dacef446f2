"""The client's end of an HDLC link, sans-I/O: it opens the link, has the first turn, and asks until it is answered.

One APDU out, one APDU back: `send`, then `receive_data` and `handle_timeout`, and `next_event` until None after each of
them. Here: the reactions of the client's state table. Not here: what both ends share (`hdlc_link`). Imported by
`transport`.

Decisions: an answer that does not come is asked for again by sending what is unacknowledged once more; a broken rule of
the server closes the link, because only a new SNRM helps; a late duplicate of an answer does not end a turn.
"""

from datetime import datetime, timedelta
from typing import Final

from dlms_objects.errors import InvalidValueError, LocalError
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.events import SendOctets
from dlms_objects.wire.hdlc_control import FrameKind
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
from dlms_objects.wire.hdlc_parameters import LinkParameters, decode_limits
from dlms_objects.wire.hdlc_states import CLIENT_LINK, ClientLinkInput, ClientLinkState, LinkCell, LinkReaction

_J, _C = ClientLinkInput, ClientLinkState
_COMMANDS: Final[dict[type[LinkCommand], ClientLinkInput]] = {
    Connect: _J.CONNECT,
    SendApdu: _J.SEND,
    SendUnconfirmed: _J.SEND_UNCONFIRMED,
    Disconnect: _J.DISCONNECT,
}
_NUMBERED: Final = (FrameKind.I, FrameKind.RR, FrameKind.RNR)
_INPUTS: Final = {
    FrameKind.I: _J.I,
    FrameKind.RR: _J.RR,
    FrameKind.RNR: _J.RNR,
    FrameKind.UA: _J.UA,
    FrameKind.DM: _J.DM,
    FrameKind.FRMR: _J.FRMR,
    FrameKind.UI: _J.UI,
}
_ENDS: Final = {
    _J.UA: LinkEnd.REQUESTED,
    _J.DM: LinkEnd.PEER_DISCONNECTED,
    _J.FRMR: LinkEnd.REJECTED,
    _J.BROKEN: LinkEnd.REFUSED,
    _J.VIOLATION: LinkEnd.VIOLATION,
    _J.EXHAUSTED: LinkEnd.NO_ANSWER,
}
_ENDS_BY_DM: Final = {_C.CONNECTING: LinkEnd.REFUSED, _C.DISCONNECTING: LinkEnd.REQUESTED}
_SPEAKING: Final = (LinkReaction.CALL, LinkReaction.HANG_UP, LinkReaction.TAKE_TURN)


class ClientLink(Link):
    """One client of one server."""

    def __init__(self, parameters: LinkParameters) -> None:
        """`parameters.peer` is the server; InvalidValueError without one."""
        if parameters.peer is None:
            raise InvalidValueError("a client's HDLC link needs the address of its server")
        super().__init__(parameters, is_server=False)
        self.server = parameters.peer
        self._state = _C.DISCONNECTED
        self._attempts = 0  # turns in a row that brought nothing
        self._pauses = 0
        self._frames_in_turn = 0
        self._has_progress = False
        self._has_gap = False
        self._is_answered = False

    @property
    def state(self) -> ClientLinkState:
        """Where the link stands."""
        return self._state

    def send(self, command: LinkCommand, now: datetime) -> bytes:
        """The octets to put on the line at once; LocalError, and nothing changes, when the command has no place now."""
        cell = CLIENT_LINK[self._state, _COMMANDS[type(command)]]
        if cell.reaction is LinkReaction.MISUSE:
            raise LocalError(f"{type(command).__name__} has no place while {self._state.name.lower()}")
        if isinstance(command, SendUnconfirmed):
            return self._unconfirmed_frames(command)
        if isinstance(command, SendApdu):
            self._put(command.apdu)
            self._is_answered = self._has_gap = self._has_progress = False
        self._attempts = self._pauses = 0
        return self._speak(cell, now)

    # --- what came ---

    def _take(self, frame: HdlcFrame, now: datetime) -> None:
        is_for_us = frame.destination.is_same_station(self._own) or (
            frame.destination.is_broadcast and frame.kind is FrameKind.UI
        )
        if not is_for_us or not frame.source.is_same_station(self.server):
            return
        input_ = _INPUTS.get(frame.kind, _J.VIOLATION)
        reaction = CLIENT_LINK[self._state, input_].reaction
        if reaction is LinkReaction.DELIVER:
            self._deliver_unconfirmed(frame, now)
        elif reaction is LinkReaction.CLOSE:
            self._react(input_, now)
        elif input_ is _J.UA and reaction is LinkReaction.EXAMINE:
            self._examine_ua(frame, now)
        elif reaction is LinkReaction.EXAMINE:
            self._examine(frame, now)

    def _examine_ua(self, frame: HdlcFrame, now: datetime) -> None:
        try:
            limits = self._parameters.limits.agreed(decode_limits(frame.payload))
        except MalformedError:
            self._react(_J.BROKEN, now)
            return
        self._open(limits)
        self._react(_J.AGREED, now)
        self._events.append(LinkOpened(self.server, limits))

    def _examine(self, frame: HdlcFrame, now: datetime) -> None:
        """A frame of the server's turn."""
        window, limits = self._window, self._limits
        is_information = frame.kind is FrameKind.I
        is_expected = frame.sent == window.expected
        is_ahead = window.is_ahead(frame.sent, limits.window_received)
        if is_information and not is_expected and not is_ahead:
            return  # a duplicate: the time-out of the answer that is awaited goes on
        count = window.acknowledge(frame.received)
        if count is None or len(frame.payload) > (limits.information_received if is_information else 0):
            self._react(_J.VIOLATION, now)
            return
        window.is_peer_busy = frame.kind is FrameKind.RNR
        self._has_progress |= count > 0
        if is_information and is_expected:
            self._has_progress = True
            try:
                self._is_answered |= self._accept(frame)
            except MalformedError:
                self._react(_J.VIOLATION, now)
                return
        elif is_information:
            self._has_gap = True
        if frame.is_last:
            self._end_turn(now)

    def _end_turn(self, now: datetime) -> None:
        """The server has handed the turn back."""
        window = self._window
        if self._has_progress:
            self._attempts = self._pauses = 0
        elif window.in_flight == self._frames_in_turn == 1 and not window.is_peer_busy:
            return  # the answer to a turn before this one: our frame is still under way
        if window.is_peer_busy:
            self._pause(now)
        elif window.has_work or self._incoming.is_under_way or self._has_gap:
            self._again(_J.UNFINISHED, now)
        elif self._is_answered:
            self._react(_J.ANSWERED, now)
        else:
            self._pause(now)

    # --- what is overdue ---

    def _late(self, now: datetime) -> None:
        if self._state is _C.PAUSED:
            self._react(_J.TIMEOUT, now)
        else:
            self._has_progress = False
            self._again(_J.TIMEOUT, now)

    def _again(self, input_: ClientLinkInput, now: datetime) -> None:
        """Another turn; it counts when the one before brought nothing."""
        if not self._has_progress:
            self._attempts += 1
        self._react(_J.EXHAUSTED if self._attempts > self._times.retries else input_, now)

    def _pause(self, now: datetime) -> None:
        self._pauses += 1
        self._react(_J.EXHAUSTED if self._pauses > self._times.pauses else _J.NO_ANSWER_YET, now)

    # --- the state ---

    def _react(self, input_: ClientLinkInput, now: datetime) -> None:
        state, cell = self._state, CLIENT_LINK[self._state, input_]
        if cell.reaction in _SPEAKING:
            self._events.append(SendOctets(self._speak(cell, now)))
            return
        self._state = cell.next
        is_paused = cell.next is _C.PAUSED
        self._deadline = now + timedelta(seconds=self._times.pause_s) if is_paused else None
        if cell.reaction is LinkReaction.CLOSE:
            self._events.append(LinkClosed(_ENDS_BY_DM.get(state, _ENDS[input_]) if input_ is _J.DM else _ENDS[input_]))

    def _speak(self, cell: LinkCell[ClientLinkState], now: datetime) -> bytes:
        """Take the state, and the octets that are to be answered."""
        self._state = cell.next
        if cell.reaction is LinkReaction.CALL:
            octets = self._unnumbered(FrameKind.SNRM, self._parameters.limits.encode())
        elif cell.reaction is LinkReaction.HANG_UP:
            octets = self._unnumbered(FrameKind.DISC)
        else:
            octets, self._frames_in_turn = self._turn()
            self._has_progress = self._has_gap = False
        self._deadline = now + self._times.response_after(octets)
        return octets
