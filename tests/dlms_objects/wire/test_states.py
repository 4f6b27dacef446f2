"""The state tables: every cell is there, and says what the security rules say."""

from contextlib import nullcontext
from typing import Any

import pytest

from dlms_objects.errors import LocalError, RemoteError, TransportLostError
from dlms_objects.wire import events as ev
from dlms_objects.wire.action_blocks import ActionResponseWithPblock
from dlms_objects.wire.get import GetResponseBlock
from dlms_objects.wire.notification import DataNotification
from dlms_objects.wire.states import (
    CLIENT,
    SERVER,
    ClientInput,
    ClientState,
    Reaction,
    ServerInput,
    ServerState,
    render,
)
from tests.support.associations import (
    GET,
    JOURNAL,
    LATER,
    MANAGEMENT,
    NOW,
    TOP_UP,
    World,
    answer,
    frame,
    meter,
    sealed,
)
from tests.support.services import mixed_access
from tests.support.states import (
    client_in,
    drained,
    from_client,
    from_server,
    general_block,
    server_in,
    set_block,
)

FROM_CLIENT = [input_ for input_ in ServerInput if input_ <= ServerInput.CORRUPT]
FROM_SERVER = [input_ for input_ in ClientInput if input_ <= ClientInput.UNTRUSTED]
COMMANDS = [input_ for input_ in ClientInput if ClientInput.ASSOCIATE <= input_ <= ClientInput.RELEASE]
ENDS = {Reaction.REFUSE, Reaction.CLOSE}
OPEN = {
    ServerState.ASSOCIATED,
    ServerState.SENDING_BLOCKS,
    ServerState.RECEIVING_BLOCKS,
    ServerState.SENDING_GENERAL,
    ServerState.RECEIVING_GENERAL,
}


def test_every_state_has_a_cell_for_every_input() -> None:
    assert set(SERVER) == {(state, input_) for state in ServerState for input_ in ServerInput}
    assert set(CLIENT) == {(state, input_) for state in ClientState for input_ in ClientInput}


def test_a_refusal_closes_and_a_misuse_changes_nothing() -> None:
    for (state, _input), cell in (*SERVER.items(), *CLIENT.items()):
        if cell.reaction in ENDS:
            assert cell.next in (ServerState.CLOSED, ClientState.CLOSED)
        if cell.reaction in (Reaction.MISUSE, Reaction.IGNORE, Reaction.WAIT):
            assert cell.next is state


def test_nothing_leaves_the_closed_state() -> None:
    for input_ in ServerInput:
        assert SERVER[ServerState.CLOSED, input_].next is ServerState.CLOSED
    for input_2 in ClientInput:
        assert CLIENT[ClientState.CLOSED, input_2].next is ClientState.CLOSED


def test_no_input_of_a_peer_is_a_misuse() -> None:
    assert all(SERVER[state, input_].reaction is not Reaction.MISUSE for state in ServerState for input_ in FROM_CLIENT)
    assert all(CLIENT[state, input_].reaction is not Reaction.MISUSE for state in ClientState for input_ in FROM_SERVER)


def test_the_server_delivers_requests_only_inside_an_association() -> None:
    delivering = {state for (state, _), cell in SERVER.items() if cell.reaction is Reaction.DELIVER}
    assert delivering == OPEN


def test_only_the_proof_and_a_release_go_on_while_hls_is_pending() -> None:
    going_on = {
        input_ for input_ in FROM_CLIENT if SERVER[ServerState.HLS_PENDING, input_].next is not ServerState.CLOSED
    }
    assert going_on == {ServerInput.REPLY_TO_HLS, ServerInput.RLRQ, ServerInput.UNTRUSTED}


def test_hls_leads_to_an_association_only_through_the_proof() -> None:
    ways_in = {(state, input_) for (state, input_), cell in SERVER.items() if cell.next is ServerState.ASSOCIATED}
    assert {input_ for state, input_ in ways_in if state is ServerState.HLS_PENDING} == {ServerInput.PROVEN}
    assert {input_ for state, input_ in ways_in if state is ServerState.IDLE} == {ServerInput.ACCEPTED}


@pytest.mark.parametrize("state", [ServerState.HLS_PENDING, *OPEN])
def test_a_second_aarq_an_unprotected_and_a_misdirected_apdu_end_every_association(state: ServerState) -> None:
    for input_ in (ServerInput.AARQ, ServerInput.UNPROTECTED, ServerInput.MISDIRECTED):
        assert SERVER[state, input_].reaction is Reaction.REFUSE
    assert SERVER[state, ServerInput.UNTRUSTED] == (Reaction.REPORT, state)


def test_what_the_client_does_not_await_or_trust_closes_it() -> None:
    awaited = {
        ClientState.ASSOCIATING: {ClientInput.AARE},
        ClientState.HLS_PENDING: {ClientInput.ACTION_RESPONSE},
        ClientState.GETTING: {ClientInput.GET_RESPONSE},
        ClientState.SETTING: {ClientInput.SET_RESPONSE},
        ClientState.ACTING: {ClientInput.ACTION_RESPONSE},
        ClientState.ACCESSING: {ClientInput.ACCESS_RESPONSE},
        ClientState.RELEASING: {ClientInput.RLRE},
    }
    unasked = {ClientInput.GENERAL_BLOCK, ClientInput.NOTIFICATION}
    closed = {ClientState.IDLE, ClientState.ASSOCIATING, ClientState.HLS_PENDING, ClientState.CLOSED}
    for state in ClientState:
        expected = awaited.get(state, set()) | ({ClientInput.EXCEPTION_RESPONSE} if state in awaited else set())
        expected |= set() if state in closed else unasked
        taken = {input_ for input_ in FROM_SERVER if CLIENT[state, input_].reaction is not Reaction.REFUSE}
        assert taken == expected


def test_the_client_sends_one_request_at_a_time() -> None:
    sending = {
        (state, input_)
        for state in ClientState
        for input_ in COMMANDS
        if CLIENT[state, input_].reaction is Reaction.SEND
    }
    assert {state for state, _ in sending} == {ClientState.IDLE, ClientState.ASSOCIATED}
    assert (ClientState.IDLE, ClientInput.ASSOCIATE) in sending
    assert len(sending) == len(COMMANDS)


def test_the_printed_tables_show_every_cell() -> None:
    text = render()
    lines = text.splitlines()
    assert lines[0] == "## Client association"
    assert "| unprotected | refuse > closed | refuse > closed | refuse > closed | wait > busy |" in text
    assert sum(line.startswith("| ") for line in lines) == len(ServerInput) + len(ClientInput) + 2
    assert all(line.count("|") in (0, len(ServerState) + 2, len(ClientState) + 2) for line in lines)


def test_a_notification_leaves_every_state_as_it_was() -> None:
    for state in ClientState:
        cell = CLIENT[state, ClientInput.NOTIFICATION]
        assert cell.reaction is Reaction.REFUSE or cell == (Reaction.NOTIFY, state)
    for state_2 in ServerState:
        cell_2 = SERVER[state_2, ServerInput.NOTIFICATION]
        expected = Reaction.SEND if state_2 in OPEN | {ServerState.BUSY} else Reaction.MISUSE
        assert cell_2 == (expected, state_2)


def test_a_long_notification_is_never_sent_between_the_general_blocks_of_an_exchange() -> None:
    sending = {state for state in ServerState if SERVER[state, ServerInput.LONG_NOTIFICATION].reaction is Reaction.SEND}
    assert sending == (OPEN | {ServerState.BUSY}) - {ServerState.SENDING_GENERAL, ServerState.RECEIVING_GENERAL}


# --- the engines walk the tables ---


EXAMINED_BY_SERVER = {
    ServerInput.AARQ: ServerInput.CHALLENGED,
    ServerInput.REPLY_TO_HLS: ServerInput.UNPROVEN,
    ServerInput.NEXT_BLOCK: ServerInput.MORE_BLOCKS,
    ServerInput.FIRST_BLOCK: ServerInput.BLOCK_TAKEN,
    ServerInput.FURTHER_BLOCK: ServerInput.BLOCK_TAKEN,
    ServerInput.GENERAL_BLOCK: ServerInput.GENERAL_TAKEN,
}


@pytest.mark.parametrize("state", ServerState, ids=lambda state: state.name)
@pytest.mark.parametrize("input_", FROM_CLIENT, ids=lambda input_: input_.name)
def test_the_server_takes_every_input_of_a_client_as_its_table_says(state: ServerState, input_: ServerInput) -> None:
    pair = server_in(state)
    cell = SERVER[state, input_]
    count = drained(pair, from_client(pair, input_))
    if cell.reaction is Reaction.EXAMINE:
        cell = SERVER[state, EXAMINED_BY_SERVER[input_]]
    assert pair.server.state is cell.next
    assert (count == 0) is (cell.reaction in (Reaction.WAIT, Reaction.IGNORE))


@pytest.mark.parametrize("state", ServerState, ids=lambda state: state.name)
def test_the_server_takes_time_and_answers_as_its_table_says(state: ServerState) -> None:
    pair = server_in(state)
    pair.server.handle_timeout(LATER)
    assert pair.server.state is SERVER[state, ServerInput.TIMEOUT].next
    pair = server_in(state)
    if SERVER[state, ServerInput.WHOLE_ANSWER].reaction is Reaction.MISUSE:
        with pytest.raises(LocalError):
            pair.server.send(ev.GetAnswer(b"\x11\x01"))
        return
    for raw, input_ in ((b"\x11\x01", ServerInput.WHOLE_ANSWER), (bytes(99), ServerInput.LONG_ANSWER)):
        pair = server_in(state)
        pair.server.send(ev.GetAnswer(raw))
        assert pair.server.state is SERVER[state, input_].next
    pair = server_in(ServerState.ASSOCIATED)
    drained(pair, frame(general_block(1, sealed(pair, GET)[8:], last=True)))
    pair.server.send(ev.GetAnswer(b"\x11\x01"))
    assert pair.server.state is SERVER[state, ServerInput.GENERAL_ANSWER].next


@pytest.mark.parametrize("state", ServerState, ids=lambda state: state.name)
@pytest.mark.parametrize("octets", [1, 99])
def test_the_server_notifies_as_its_table_says(state: ServerState, octets: int) -> None:
    pair = server_in(state)
    input_ = ServerInput.NOTIFICATION if octets == 1 else ServerInput.LONG_NOTIFICATION
    notify = ev.Notify(DataNotification(body=bytes(octets)))
    if SERVER[state, input_].reaction is Reaction.SEND:
        assert pair.server.send(notify)
    else:
        with pytest.raises(LocalError):
            pair.server.send(notify)
    assert pair.server.state is SERVER[state, input_].next


@pytest.mark.parametrize("state", OPEN, ids=lambda state: state.name)
def test_every_outcome_of_a_block_leads_where_the_table_says(state: ServerState) -> None:
    whole = general_block(1, b"", last=True)
    for input_, apdu in [
        (ServerInput.TRANSFER_FAILED, lambda pair: sealed(pair, set_block(1, number=7))),
        (ServerInput.REQUEST_WHOLE, lambda pair: sealed(pair, set_block(1, last=True))),
        (ServerInput.APDU_WHOLE, lambda pair: frame(whole)),
    ]:
        pair = server_in(state)
        if input_ is ServerInput.APDU_WHOLE:
            pair.serve(frame(general_block(1, b"\xc8")))
            drained(pair, frame(general_block(2, b"", last=True)))
        else:
            drained(pair, apdu(pair))
        assert pair.server.state is SERVER[state, input_].next


@pytest.mark.parametrize("state", ClientState, ids=lambda state: state.name)
@pytest.mark.parametrize("input_", FROM_SERVER, ids=lambda input_: input_.name)
def test_the_client_takes_every_input_of_a_server_as_its_table_says(state: ClientState, input_: ClientInput) -> None:
    client = client_in(state).client
    cell = CLIENT[state, input_]
    examined_and_refused = state in (ClientState.ASSOCIATING, ClientState.HLS_PENDING)
    if cell.reaction is Reaction.REFUSE or (cell.reaction is Reaction.EXAMINE and examined_and_refused):
        with pytest.raises(RemoteError):
            client.receive_data(from_server(input_), NOW)
        assert client.state is ClientState.CLOSED
        return
    client.receive_data(from_server(input_), NOW)
    if cell.reaction is Reaction.EXAMINE and input_ is not ClientInput.GENERAL_BLOCK:
        cell = CLIENT[state, ClientInput.BLOCKS_ENDED]
    assert client.state is cell.next


@pytest.mark.parametrize(
    ("state", "apdu"),
    [
        (ClientState.GETTING, GetResponseBlock(last=False, block_number=1, result=b"x", invoke_id_and_priority=0xC2)),
        (ClientState.ACTING, ActionResponseWithPblock(last=False, block_number=1, raw=b"x", invoke_id_and_priority=2)),
    ],
)
def test_the_client_asks_for_more_blocks_as_its_table_says(state: ClientState, apdu: Any) -> None:
    client = client_in(state).client
    client.receive_data(answer(meter(World()).protect(0xDB, apdu.encode()), MANAGEMENT), NOW)
    assert isinstance(client.next_event(), ev.SendOctets)
    assert client.state is CLIENT[state, ClientInput.MORE_BLOCKS].next


@pytest.mark.parametrize("state", ClientState, ids=lambda state: state.name)
def test_the_client_takes_commands_and_time_as_its_table_says(state: ClientState) -> None:
    commands: dict[ClientInput, ev.ClientCommand] = {
        ClientInput.ASSOCIATE: ev.Associate(),
        ClientInput.GET: ev.Get(JOURNAL),
        ClientInput.SET: ev.Set(JOURNAL, b"\x11\x01"),
        ClientInput.ACTION: ev.Action(TOP_UP),
        ClientInput.ACCESS: mixed_access(),
        ClientInput.RELEASE: ev.Release(),
    }
    assert set(commands) == set(COMMANDS)
    for input_, command in commands.items():
        client = client_in(state).client
        if CLIENT[state, input_].reaction is Reaction.SEND:
            client.send(command, NOW)
        else:
            with pytest.raises(LocalError):
                client.send(command, NOW)
        assert client.state is CLIENT[state, input_].next
    client, cell = client_in(state).client, CLIENT[state, ClientInput.TIMEOUT]
    with nullcontext() if cell.reaction is Reaction.IGNORE else pytest.raises(TransportLostError):
        client.handle_timeout(LATER)
    assert client.state is cell.next
