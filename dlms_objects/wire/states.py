"""The state tables of both association roles: what each state makes of each input, every cell of them.

Here: states, inputs, reactions and the two tables, as plain constants. Not here: what a reaction does (the engines).
Imported by `client`, `server` and by whoever prints the tables (`render`).

An input comes from the peer, from the engine's own examination of what the peer sent (an outcome), from the
application, or from the clock. A peer's input that a state has no row for is refused and ends the association; an
outcome or a request of the application without a row is our own misuse (LocalError, nothing changes).
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum, auto
from typing import Final, Generic, NamedTuple, TypeVar


class Reaction(IntEnum):
    """What an engine does about an input before it takes the next state."""

    MOVE = auto()
    """Nothing but take the next state."""
    SEND = auto()
    """Protect and send: the client its request, the server its notification."""
    EXAMINE = auto()
    """Judge the APDU; the judgement is the next input."""
    FINISH = auto()
    """Client: give the result to the application."""
    NOTIFY = auto()
    """Client: give the notification to the application; nothing else changes."""
    RELEASE = auto()
    """Server: answer RLRE, the association is over."""
    DELIVER = auto()
    """Server: give the request to the application; it owes one answer."""
    ANSWER_NO = auto()
    """Server: answer the service's own negative result."""
    EXCEPTION = auto()
    """Server: answer exception-response (service-unknown)."""
    REPORT = auto()
    """Server: report the security failure, answer exception-response; nothing else changes."""
    REFUSE = auto()
    """Server: answer AARE (to an AARQ) or exception-response, then close. Client: RemoteError, closed."""
    CLOSE = auto()
    """Say no more; the connection is to be closed."""
    WAIT = auto()
    """Server: the frame stays unread until the application has answered."""
    IGNORE = auto()
    """Nothing happens."""
    MISUSE = auto()
    """LocalError; nothing happens."""


State = TypeVar("State", bound=IntEnum)
Input = TypeVar("Input", bound=IntEnum)


class Cell(NamedTuple, Generic[State]):
    """One cell of a table: the reaction, and the state after it."""

    reaction: Reaction
    next: State


class ServerState(IntEnum):
    """Where a server's association stands; one per connection."""

    IDLE = auto()
    HLS_PENDING = auto()
    ASSOCIATED = auto()
    BUSY = auto()
    SENDING_BLOCKS = auto()
    RECEIVING_BLOCKS = auto()
    SENDING_GENERAL = auto()
    RECEIVING_GENERAL = auto()
    CLOSED = auto()


class ServerInput(IntEnum):
    """What can happen to a server's association."""

    # from the peer
    AARQ = auto()
    RLRQ = auto()
    REPLY_TO_HLS = auto()
    REQUEST = auto()
    NEXT_BLOCK = auto()
    FIRST_BLOCK = auto()
    FURTHER_BLOCK = auto()
    GENERAL_BLOCK = auto()
    UNKNOWN_SERVICE = auto()
    UNPROTECTED = auto()
    UNTRUSTED = auto()
    MISDIRECTED = auto()
    CORRUPT = auto()
    # outcomes of an examination
    ACCEPTED = auto()
    CHALLENGED = auto()
    REJECTED = auto()
    PROVEN = auto()
    UNPROVEN = auto()
    MORE_BLOCKS = auto()
    BLOCKS_ENDED = auto()
    BLOCK_TAKEN = auto()
    REQUEST_WHOLE = auto()
    GENERAL_TAKEN = auto()
    APDU_WHOLE = auto()
    TRANSFER_FAILED = auto()
    # from the application
    WHOLE_ANSWER = auto()
    LONG_ANSWER = auto()
    GENERAL_ANSWER = auto()
    NOTIFICATION = auto()
    LONG_NOTIFICATION = auto()
    # from the clock
    TIMEOUT = auto()


class ClientState(IntEnum):
    """Where a client's association stands; one per connection."""

    IDLE = auto()
    ASSOCIATING = auto()
    HLS_PENDING = auto()
    ASSOCIATED = auto()
    GETTING = auto()
    SETTING = auto()
    ACTING = auto()
    ACCESSING = auto()
    RELEASING = auto()
    CLOSED = auto()


class ClientInput(IntEnum):
    """What can happen to a client's association."""

    # from the peer
    AARE = auto()
    RLRE = auto()
    GET_RESPONSE = auto()
    SET_RESPONSE = auto()
    ACTION_RESPONSE = auto()
    ACCESS_RESPONSE = auto()
    EXCEPTION_RESPONSE = auto()
    GENERAL_BLOCK = auto()
    NOTIFICATION = auto()
    UNKNOWN_SERVICE = auto()
    UNPROTECTED = auto()
    MISDIRECTED = auto()
    UNTRUSTED = auto()
    # outcomes of an examination
    ACCEPTED = auto()
    CHALLENGED = auto()
    REJECTED = auto()
    PROVEN = auto()
    MORE_BLOCKS = auto()
    BLOCKS_ENDED = auto()
    # from the application
    ASSOCIATE = auto()
    GET = auto()
    SET = auto()
    ACTION = auto()
    ACCESS = auto()
    RELEASE = auto()
    # from the clock
    TIMEOUT = auto()


_R, _S, _I = Reaction, ServerState, ServerInput


def _open_rows(state: ServerState) -> dict[ServerInput, Cell[ServerState]]:
    """What every state of an open association that waits for the client has in common."""
    return {
        _I.RLRQ: Cell(_R.RELEASE, _S.IDLE),
        _I.REPLY_TO_HLS: Cell(_R.ANSWER_NO, state),
        _I.REQUEST: Cell(_R.DELIVER, _S.BUSY),
        _I.NEXT_BLOCK: Cell(_R.ANSWER_NO, state),
        _I.FIRST_BLOCK: Cell(_R.EXAMINE, state),
        _I.FURTHER_BLOCK: Cell(_R.ANSWER_NO, state),
        _I.GENERAL_BLOCK: Cell(_R.EXAMINE, state),
        _I.UNKNOWN_SERVICE: Cell(_R.EXCEPTION, state),
        _I.UNTRUSTED: Cell(_R.REPORT, state),
        _I.BLOCK_TAKEN: Cell(_R.MOVE, _S.RECEIVING_BLOCKS),
        _I.REQUEST_WHOLE: Cell(_R.DELIVER, _S.BUSY),
        _I.GENERAL_TAKEN: Cell(_R.MOVE, _S.RECEIVING_GENERAL),
        _I.APDU_WHOLE: Cell(_R.MOVE, _S.ASSOCIATED),
        _I.TRANSFER_FAILED: Cell(_R.MOVE, _S.ASSOCIATED),
        _I.NOTIFICATION: Cell(_R.SEND, state),
    }


_SERVER_ROWS: Final[dict[ServerState, dict[ServerInput, Cell[ServerState]]]] = {
    _S.IDLE: {
        _I.AARQ: Cell(_R.EXAMINE, _S.IDLE),
        _I.ACCEPTED: Cell(_R.MOVE, _S.ASSOCIATED),
        _I.CHALLENGED: Cell(_R.MOVE, _S.HLS_PENDING),
        _I.REJECTED: Cell(_R.CLOSE, _S.CLOSED),
    },
    _S.HLS_PENDING: {
        _I.RLRQ: Cell(_R.RELEASE, _S.IDLE),
        _I.REPLY_TO_HLS: Cell(_R.EXAMINE, _S.HLS_PENDING),
        _I.UNTRUSTED: Cell(_R.REPORT, _S.HLS_PENDING),
        _I.PROVEN: Cell(_R.MOVE, _S.ASSOCIATED),
        _I.UNPROVEN: Cell(_R.CLOSE, _S.CLOSED),
    },
    _S.ASSOCIATED: {
        **_open_rows(_S.ASSOCIATED),
        _I.LONG_NOTIFICATION: Cell(_R.SEND, _S.ASSOCIATED),
    },
    _S.BUSY: {
        **{input_: Cell(_R.WAIT, _S.BUSY) for input_ in _I if input_ <= _I.CORRUPT},
        _I.WHOLE_ANSWER: Cell(_R.MOVE, _S.ASSOCIATED),
        _I.LONG_ANSWER: Cell(_R.MOVE, _S.SENDING_BLOCKS),
        _I.GENERAL_ANSWER: Cell(_R.MOVE, _S.SENDING_GENERAL),
        _I.NOTIFICATION: Cell(_R.SEND, _S.BUSY),
        _I.LONG_NOTIFICATION: Cell(_R.SEND, _S.BUSY),
        _I.TIMEOUT: Cell(_R.IGNORE, _S.BUSY),
    },
    _S.SENDING_BLOCKS: {
        **_open_rows(_S.SENDING_BLOCKS),
        _I.NEXT_BLOCK: Cell(_R.EXAMINE, _S.SENDING_BLOCKS),
        _I.MORE_BLOCKS: Cell(_R.MOVE, _S.SENDING_BLOCKS),
        _I.BLOCKS_ENDED: Cell(_R.MOVE, _S.ASSOCIATED),
        _I.LONG_NOTIFICATION: Cell(_R.SEND, _S.SENDING_BLOCKS),
    },
    _S.RECEIVING_BLOCKS: {
        **_open_rows(_S.RECEIVING_BLOCKS),
        _I.FURTHER_BLOCK: Cell(_R.EXAMINE, _S.RECEIVING_BLOCKS),
        _I.LONG_NOTIFICATION: Cell(_R.SEND, _S.RECEIVING_BLOCKS),
    },
    _S.SENDING_GENERAL: {
        **_open_rows(_S.SENDING_GENERAL),
        _I.MORE_BLOCKS: Cell(_R.MOVE, _S.SENDING_GENERAL),
        _I.BLOCKS_ENDED: Cell(_R.MOVE, _S.ASSOCIATED),
    },
    _S.RECEIVING_GENERAL: _open_rows(_S.RECEIVING_GENERAL),
    _S.CLOSED: {
        **{input_: Cell(_R.IGNORE, _S.CLOSED) for input_ in _I if input_ <= _I.CORRUPT},
        _I.TIMEOUT: Cell(_R.IGNORE, _S.CLOSED),
    },
}


def _server_cell(state: ServerState, input_: ServerInput) -> Cell[ServerState]:
    row = _SERVER_ROWS[state]
    if input_ in row:
        return row[input_]
    if input_ in (_I.CORRUPT, _I.TIMEOUT):
        return Cell(_R.CLOSE, _S.CLOSED)
    if input_ < _I.CORRUPT:
        return Cell(_R.REFUSE, _S.CLOSED)
    return Cell(_R.MISUSE, state)


SERVER: Final[Mapping[tuple[ServerState, ServerInput], Cell[ServerState]]] = {
    (state, input_): _server_cell(state, input_) for state in ServerState for input_ in ServerInput
}

_C, _J = ClientState, ClientInput


def _asking_rows(state: ClientState, response: ClientInput) -> dict[ClientInput, Cell[ClientState]]:
    """A service that waits for its response: in one APDU, in blocks, or for what asks for our next block."""
    return {
        response: Cell(_R.EXAMINE, state),
        _J.GENERAL_BLOCK: Cell(_R.EXAMINE, state),
        _J.EXCEPTION_RESPONSE: Cell(_R.FINISH, _C.ASSOCIATED),
        _J.NOTIFICATION: Cell(_R.NOTIFY, state),
        _J.MORE_BLOCKS: Cell(_R.SEND, state),
        _J.BLOCKS_ENDED: Cell(_R.FINISH, _C.ASSOCIATED),
    }


_CLIENT_ROWS: Final[dict[ClientState, dict[ClientInput, Cell[ClientState]]]] = {
    _C.IDLE: {
        _J.ASSOCIATE: Cell(_R.SEND, _C.ASSOCIATING),
        _J.TIMEOUT: Cell(_R.IGNORE, _C.IDLE),
    },
    _C.ASSOCIATING: {
        _J.AARE: Cell(_R.EXAMINE, _C.ASSOCIATING),
        _J.EXCEPTION_RESPONSE: Cell(_R.FINISH, _C.CLOSED),
        _J.ACCEPTED: Cell(_R.FINISH, _C.ASSOCIATED),
        _J.CHALLENGED: Cell(_R.SEND, _C.HLS_PENDING),
        _J.REJECTED: Cell(_R.FINISH, _C.CLOSED),
    },
    _C.HLS_PENDING: {
        _J.ACTION_RESPONSE: Cell(_R.EXAMINE, _C.HLS_PENDING),
        _J.EXCEPTION_RESPONSE: Cell(_R.FINISH, _C.CLOSED),
        _J.PROVEN: Cell(_R.FINISH, _C.ASSOCIATED),
        _J.REJECTED: Cell(_R.FINISH, _C.CLOSED),
    },
    _C.ASSOCIATED: {
        _J.GENERAL_BLOCK: Cell(_R.EXAMINE, _C.ASSOCIATED),
        _J.NOTIFICATION: Cell(_R.NOTIFY, _C.ASSOCIATED),
        _J.GET: Cell(_R.SEND, _C.GETTING),
        _J.SET: Cell(_R.SEND, _C.SETTING),
        _J.ACTION: Cell(_R.SEND, _C.ACTING),
        _J.ACCESS: Cell(_R.SEND, _C.ACCESSING),
        _J.RELEASE: Cell(_R.SEND, _C.RELEASING),
        _J.TIMEOUT: Cell(_R.IGNORE, _C.ASSOCIATED),
    },
    _C.GETTING: _asking_rows(_C.GETTING, _J.GET_RESPONSE),
    _C.SETTING: _asking_rows(_C.SETTING, _J.SET_RESPONSE),
    _C.ACTING: _asking_rows(_C.ACTING, _J.ACTION_RESPONSE),
    _C.ACCESSING: _asking_rows(_C.ACCESSING, _J.ACCESS_RESPONSE),
    _C.RELEASING: {
        _J.RLRE: Cell(_R.FINISH, _C.IDLE),
        _J.GENERAL_BLOCK: Cell(_R.EXAMINE, _C.RELEASING),
        _J.EXCEPTION_RESPONSE: Cell(_R.FINISH, _C.CLOSED),
        _J.NOTIFICATION: Cell(_R.NOTIFY, _C.RELEASING),
    },
    _C.CLOSED: {
        _J.TIMEOUT: Cell(_R.IGNORE, _C.CLOSED),
    },
}


def _client_cell(state: ClientState, input_: ClientInput) -> Cell[ClientState]:
    row = _CLIENT_ROWS[state]
    if input_ in row:
        return row[input_]
    if input_ is _J.TIMEOUT:
        return Cell(_R.CLOSE, _C.CLOSED)
    if input_ <= _J.UNTRUSTED:
        return Cell(_R.REFUSE, _C.CLOSED)
    return Cell(_R.MISUSE, state)


CLIENT: Final[Mapping[tuple[ClientState, ClientInput], Cell[ClientState]]] = {
    (state, input_): _client_cell(state, input_) for state in ClientState for input_ in ClientInput
}


def render() -> str:
    """Both tables as Markdown: a line per input, a column per state, each cell `reaction > next state`."""
    client = _render("Client", ClientState, ClientInput, CLIENT)
    server = _render("Server", ServerState, ServerInput, SERVER)
    return f"{client}\n{server}"


def _render(
    title: str,
    states: Iterable[State],
    inputs: Iterable[Input],
    table: Mapping[tuple[State, Input], Cell[State]],
) -> str:
    columns = list(states)
    lines = [
        f"## {title} association",
        "",
        "| input | " + " | ".join(_words(state) for state in columns) + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for input_ in inputs:
        row = [table[state, input_] for state in columns]
        texts = [f"{_words(cell.reaction)} > {_words(cell.next)}" for cell in row]
        lines.append(f"| {_words(input_)} | " + " | ".join(texts) + " |")
    return "\n".join(lines) + "\n"


def _words(member: IntEnum) -> str:
    return member.name.lower().replace("_", " ")
