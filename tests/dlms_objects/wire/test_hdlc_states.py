"""The link tables: every cell is there, and says what the standard's rules say."""

from dlms_objects.wire.hdlc_states import (
    CLIENT_LINK,
    SERVER_LINK,
    ClientLinkInput,
    ClientLinkState,
    LinkReaction,
    ServerLinkInput,
    ServerLinkState,
)

C, J, S, I, R = ClientLinkState, ClientLinkInput, ServerLinkState, ServerLinkInput, LinkReaction  # noqa: E741
FROM_SERVER = [input_ for input_ in J if input_ <= J.VIOLATION]
FROM_CLIENT = [input_ for input_ in I if input_ <= I.VIOLATION]


def test_every_state_has_a_cell_for_every_input() -> None:
    assert set(CLIENT_LINK) == {(state, input_) for state in C for input_ in J}
    assert set(SERVER_LINK) == {(state, input_) for state in S for input_ in I}


def test_what_is_ignored_or_misused_changes_nothing() -> None:
    for (state, _), cell in (*CLIENT_LINK.items(), *SERVER_LINK.items()):
        if cell.reaction in (R.IGNORE, R.MISUSE, R.DELIVER, R.SEND, R.QUEUE):
            assert cell.next is state


def test_nothing_that_a_peer_sends_is_a_misuse() -> None:
    assert all(CLIENT_LINK[state, input_].reaction is not R.MISUSE for state in C for input_ in FROM_SERVER)
    assert all(SERVER_LINK[state, input_].reaction is not R.MISUSE for state in S for input_ in FROM_CLIENT)


def test_the_client_speaks_only_in_its_own_turn() -> None:
    speaking = {state for state in C for input_ in J if CLIENT_LINK[state, input_].reaction is R.TAKE_TURN}
    assert speaking == {C.CONNECTED, C.WAITING, C.PAUSED}
    assert CLIENT_LINK[C.WAITING, J.SEND].reaction is CLIENT_LINK[C.WAITING, J.DISCONNECT].reaction is R.MISUSE
    assert CLIENT_LINK[C.WAITING, J.SEND_UNCONFIRMED].reaction is R.MISUSE


def test_numbered_frames_count_for_the_client_only_while_it_waits_for_them() -> None:
    for input_ in (J.I, J.RR, J.RNR):
        assert [state for state in C if CLIENT_LINK[state, input_].reaction is R.EXAMINE] == [C.WAITING]


def test_a_link_is_opened_by_ua_and_snrm_only() -> None:
    assert {key for key, cell in CLIENT_LINK.items() if cell.reaction is R.OPEN} == {(C.CONNECTING, J.AGREED)}
    assert {input_ for (_, input_), cell in SERVER_LINK.items() if cell.reaction is R.OPEN} == {I.AGREED}
    assert all(SERVER_LINK[state, I.SNRM].reaction is R.EXAMINE for state in S)
    assert all(SERVER_LINK[state, I.AGREED].next is S.CONNECTED for state in S)


def test_a_server_without_a_link_answers_dm_and_one_that_rejects_frmr_to_all_but_a_new_start() -> None:
    numbered = (I.I, I.RR, I.RNR, I.VIOLATION)
    assert {SERVER_LINK[S.DISCONNECTED, input_].reaction for input_ in (*numbered, I.DISC)} == {R.DENY}
    assert {SERVER_LINK[S.REJECTING, input_].reaction for input_ in numbered} == {R.REJECT}
    assert SERVER_LINK[S.REJECTING, I.DISC] == (R.AGREE, S.DISCONNECTED)


def test_every_violation_in_an_open_link_ends_in_frmr_or_a_closed_link() -> None:
    assert CLIENT_LINK[C.WAITING, J.VIOLATION] == (R.CLOSE, C.DISCONNECTED)
    for state in (S.CONNECTED, S.ANSWERING):
        assert SERVER_LINK[state, I.VIOLATION] == (R.REJECT, S.REJECTING)


def test_dm_and_frmr_close_every_open_link_of_the_client() -> None:
    for state in set(C) - {C.DISCONNECTED}:
        for input_ in (J.DM, J.FRMR):
            assert CLIENT_LINK[state, input_] == (R.CLOSE, C.DISCONNECTED)
    assert CLIENT_LINK[C.DISCONNECTED, J.DM].reaction is R.IGNORE


def test_every_wait_of_the_client_has_an_end() -> None:
    for state in (C.CONNECTING, C.WAITING, C.PAUSED, C.DISCONNECTING):
        assert CLIENT_LINK[state, J.EXHAUSTED] == (R.CLOSE, C.DISCONNECTED)
        assert CLIENT_LINK[state, J.TIMEOUT].reaction in (R.CALL, R.HANG_UP, R.TAKE_TURN)
