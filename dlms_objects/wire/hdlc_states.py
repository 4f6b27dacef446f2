"""The state tables of both HDLC link roles: what each state makes of each input, every cell of them.

Here: states, inputs, reactions and the two tables, as plain constants. Not here: what a reaction does (the links, which
import this).

An input comes from the peer, from the link's own examination of what the peer sent (an outcome), from the application,
or from the clock. A command of the application without a row is our own misuse (LocalError, nothing changes).
"""

from collections.abc import Mapping
from enum import IntEnum, auto
from typing import Final, Generic, NamedTuple, TypeVar

State = TypeVar("State", bound=IntEnum)


class LinkReaction(IntEnum):
    """What a link does about an input, besides taking the next state."""

    MOVE = auto()
    """Nothing but take the next state."""
    IGNORE = auto()
    """Nothing happens."""
    MISUSE = auto()
    """LocalError; nothing happens."""
    EXAMINE = auto()
    """Look into the frame; what is found is the next input."""
    DELIVER = auto()
    """Put the UI frame to those before it and give a whole APDU to the application."""
    CALL = auto()
    """Client: send SNRM."""
    HANG_UP = auto()
    """Client: send DISC."""
    OPEN = auto()
    """The link is open; a server says so (UA)."""
    TAKE_TURN = auto()
    """Send what is unacknowledged or unsent, or RR."""
    HOLD_OFF = auto()
    """Server: send RNR."""
    QUEUE = auto()
    """Server: keep the APDU until the client asks."""
    SEND = auto()
    """Send UI frames."""
    DENY = auto()
    """Server: answer DM."""
    REJECT = auto()
    """Server: answer FRMR."""
    AGREE = auto()
    """Server: answer UA, the link is closed."""
    CLOSE = auto()
    """The link is closed."""


class LinkCell(NamedTuple, Generic[State]):
    """One cell of a table: the reaction, and the state after it."""

    reaction: LinkReaction
    next: State


class ClientLinkState(IntEnum):
    """Where a client's link stands."""

    DISCONNECTED = auto()
    CONNECTING = auto()
    CONNECTED = auto()
    WAITING = auto()
    """It is the server's turn."""
    PAUSED = auto()
    """The server has no answer yet; it is asked again after a while."""
    DISCONNECTING = auto()


class ClientLinkInput(IntEnum):
    """What can happen to a client's link."""

    # from the server
    UA = auto()
    DM = auto()
    FRMR = auto()
    I = auto()  # noqa: E741 - the standard's name
    RR = auto()
    RNR = auto()
    UI = auto()
    VIOLATION = auto()
    # outcomes of an examination
    AGREED = auto()
    BROKEN = auto()
    UNFINISHED = auto()
    ANSWERED = auto()
    NO_ANSWER_YET = auto()
    # from the application
    CONNECT = auto()
    SEND = auto()
    SEND_UNCONFIRMED = auto()
    DISCONNECT = auto()
    # from the clock
    TIMEOUT = auto()
    EXHAUSTED = auto()


class ServerLinkState(IntEnum):
    """Where a server's link stands."""

    DISCONNECTED = auto()
    CONNECTED = auto()
    ANSWERING = auto()
    """It is our turn, and the application owes an answer."""
    REJECTING = auto()
    """The client broke the protocol; only SNRM and DISC help."""


class ServerLinkInput(IntEnum):
    """What can happen to a server's link."""

    # from the client
    SNRM = auto()
    DISC = auto()
    I = auto()  # noqa: E741 - the standard's name
    RR = auto()
    RNR = auto()
    UI = auto()
    VIOLATION = auto()
    # outcomes of an examination
    AGREED = auto()
    BROKEN = auto()
    OUR_TURN = auto()
    OWED = auto()
    TOO_EARLY = auto()
    # from the application
    SEND = auto()
    SEND_UNCONFIRMED = auto()
    DISCONNECT = auto()
    CONNECT = auto()
    # from the clock
    ANSWER_LATE = auto()
    INACTIVE = auto()


_R, _C, _J = LinkReaction, ClientLinkState, ClientLinkInput

_GONE: Final = LinkCell(_R.CLOSE, _C.DISCONNECTED)
_CLIENT_ROWS: Final[dict[ClientLinkState, dict[ClientLinkInput, LinkCell[ClientLinkState]]]] = {
    _C.DISCONNECTED: {
        _J.CONNECT: LinkCell(_R.CALL, _C.CONNECTING),
    },
    _C.CONNECTING: {
        _J.UA: LinkCell(_R.EXAMINE, _C.CONNECTING),
        _J.AGREED: LinkCell(_R.OPEN, _C.CONNECTED),
        _J.BROKEN: _GONE,
        _J.DM: _GONE,
        _J.FRMR: _GONE,
        _J.TIMEOUT: LinkCell(_R.CALL, _C.CONNECTING),
        _J.EXHAUSTED: _GONE,
    },
    _C.CONNECTED: {
        _J.DM: _GONE,
        _J.FRMR: _GONE,
        _J.SEND: LinkCell(_R.TAKE_TURN, _C.WAITING),
        _J.DISCONNECT: LinkCell(_R.HANG_UP, _C.DISCONNECTING),
    },
    _C.WAITING: {
        _J.I: LinkCell(_R.EXAMINE, _C.WAITING),
        _J.RR: LinkCell(_R.EXAMINE, _C.WAITING),
        _J.RNR: LinkCell(_R.EXAMINE, _C.WAITING),
        _J.DM: _GONE,
        _J.FRMR: _GONE,
        _J.VIOLATION: _GONE,
        _J.UNFINISHED: LinkCell(_R.TAKE_TURN, _C.WAITING),
        _J.ANSWERED: LinkCell(_R.MOVE, _C.CONNECTED),
        _J.NO_ANSWER_YET: LinkCell(_R.MOVE, _C.PAUSED),
        _J.TIMEOUT: LinkCell(_R.TAKE_TURN, _C.WAITING),
        _J.EXHAUSTED: _GONE,
    },
    _C.PAUSED: {
        _J.DM: _GONE,
        _J.FRMR: _GONE,
        _J.DISCONNECT: LinkCell(_R.HANG_UP, _C.DISCONNECTING),
        _J.TIMEOUT: LinkCell(_R.TAKE_TURN, _C.WAITING),
        _J.EXHAUSTED: _GONE,
    },
    _C.DISCONNECTING: {
        _J.UA: _GONE,
        _J.DM: _GONE,
        _J.FRMR: _GONE,
        _J.TIMEOUT: LinkCell(_R.HANG_UP, _C.DISCONNECTING),
        _J.EXHAUSTED: _GONE,
    },
}


def _client_cell(state: ClientLinkState, input_: ClientLinkInput) -> LinkCell[ClientLinkState]:
    row = _CLIENT_ROWS[state]
    if input_ in row:
        return row[input_]
    if input_ is _J.UI:
        return LinkCell(_R.DELIVER, state)
    if input_ is _J.SEND_UNCONFIRMED and state is not _C.WAITING:  # not in the server's turn
        return LinkCell(_R.SEND, state)
    if input_ in (_J.SEND, _J.SEND_UNCONFIRMED, _J.CONNECT, _J.DISCONNECT):
        return LinkCell(_R.MISUSE, state)
    return LinkCell(_R.IGNORE, state)


CLIENT_LINK: Final[Mapping[tuple[ClientLinkState, ClientLinkInput], LinkCell[ClientLinkState]]] = {
    (state, input_): _client_cell(state, input_) for state in ClientLinkState for input_ in ClientLinkInput
}

_S, _I = ServerLinkState, ServerLinkInput

_OPENING: Final[dict[ServerLinkInput, LinkCell[ServerLinkState]]] = {
    _I.AGREED: LinkCell(_R.OPEN, _S.CONNECTED),
    _I.BROKEN: LinkCell(_R.DENY, _S.DISCONNECTED),
}
_OPEN: Final[dict[ServerLinkInput, LinkCell[ServerLinkState]]] = {
    **_OPENING,
    _I.DISC: LinkCell(_R.AGREE, _S.DISCONNECTED),
    _I.VIOLATION: LinkCell(_R.REJECT, _S.REJECTING),
    _I.OUR_TURN: LinkCell(_R.TAKE_TURN, _S.CONNECTED),
    _I.OWED: LinkCell(_R.MOVE, _S.ANSWERING),
    _I.TOO_EARLY: LinkCell(_R.HOLD_OFF, _S.CONNECTED),
    _I.INACTIVE: LinkCell(_R.CLOSE, _S.DISCONNECTED),
}

_SERVER_ROWS: Final[dict[ServerLinkState, dict[ServerLinkInput, LinkCell[ServerLinkState]]]] = {
    _S.DISCONNECTED: {
        **_OPENING,
        _I.SNRM: LinkCell(_R.EXAMINE, _S.DISCONNECTED),
        **{input_: LinkCell(_R.DENY, _S.DISCONNECTED) for input_ in (_I.DISC, _I.I, _I.RR, _I.RNR, _I.VIOLATION)},
    },
    _S.CONNECTED: {
        **_OPEN,
        **{input_: LinkCell(_R.EXAMINE, _S.CONNECTED) for input_ in (_I.SNRM, _I.I, _I.RR, _I.RNR)},
        _I.SEND: LinkCell(_R.QUEUE, _S.CONNECTED),
        _I.DISCONNECT: LinkCell(_R.CLOSE, _S.DISCONNECTED),
    },
    _S.ANSWERING: {
        **_OPEN,
        **{input_: LinkCell(_R.EXAMINE, _S.ANSWERING) for input_ in (_I.SNRM, _I.I, _I.RR, _I.RNR)},
        _I.SEND: LinkCell(_R.TAKE_TURN, _S.CONNECTED),
        _I.DISCONNECT: LinkCell(_R.DENY, _S.DISCONNECTED),
        _I.ANSWER_LATE: LinkCell(_R.TAKE_TURN, _S.CONNECTED),
    },
    _S.REJECTING: {
        **_OPENING,
        _I.SNRM: LinkCell(_R.EXAMINE, _S.REJECTING),
        _I.DISC: LinkCell(_R.AGREE, _S.DISCONNECTED),
        **{input_: LinkCell(_R.REJECT, _S.REJECTING) for input_ in (_I.I, _I.RR, _I.RNR, _I.VIOLATION)},
        _I.UI: LinkCell(_R.IGNORE, _S.REJECTING),
        _I.DISCONNECT: LinkCell(_R.MOVE, _S.DISCONNECTED),
        _I.INACTIVE: LinkCell(_R.MOVE, _S.DISCONNECTED),
    },
}


def _server_cell(state: ServerLinkState, input_: ServerLinkInput) -> LinkCell[ServerLinkState]:
    row = _SERVER_ROWS[state]
    if input_ in row:
        return row[input_]
    if input_ is _I.UI:
        return LinkCell(_R.DELIVER, state)
    if input_ is _I.SEND_UNCONFIRMED:
        return LinkCell(_R.SEND, state)
    if input_ in (_I.SEND, _I.CONNECT, _I.DISCONNECT):
        return LinkCell(_R.MISUSE, state)
    return LinkCell(_R.IGNORE, state)


SERVER_LINK: Final[Mapping[tuple[ServerLinkState, ServerLinkInput], LinkCell[ServerLinkState]]] = {
    (state, input_): _server_cell(state, input_) for state in ServerLinkState for input_ in ServerLinkInput
}
