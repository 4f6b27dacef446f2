"""The client's end of a link: every cell of its table, its turns, its patience, and what it believes of a server."""

import pytest

from dlms_objects.errors import InvalidValueError, LocalError
from dlms_objects.wire import hdlc_client
from dlms_objects.wire.events import SendOctets
from dlms_objects.wire.hdlc_client import ClientLink
from dlms_objects.wire.hdlc_control import FrameKind, information, supervisory
from dlms_objects.wire.hdlc_events import (
    ApduReceived,
    Connect,
    Disconnect,
    LinkClosed,
    LinkEnd,
    LinkOpened,
    SendApdu,
    SendUnconfirmed,
    UnconfirmedReceived,
)
from dlms_objects.wire.hdlc_frame import HdlcFrame
from dlms_objects.wire.hdlc_parameters import LinkTimes
from dlms_objects.wire.hdlc_reader import HdlcReader
from dlms_objects.wire.hdlc_segments import LLC_COMMAND, LLC_RESPONSE
from dlms_objects.wire.hdlc_states import CLIENT_LINK, ClientLinkInput, ClientLinkState, LinkReaction
from tests.support.links import (
    NOW,
    SERVER,
    TIMES,
    client_parameters,
    drained,
    escape,
    limits,
    said,
    seconds,
    to_client,
)
from tests.support.seeded import seeded

C, J, R = ClientLinkState, ClientLinkInput, LinkReaction
REQUEST, ANSWER = b"\xc0request", b"\xc4answer"
INFORMATION = LLC_RESPONSE + ANSWER


def rr(received: int, *, final: bool = True, kind: FrameKind = FrameKind.RR) -> bytes:
    return to_client(supervisory(kind, received, poll_final=final))


def i_frame(sent: int, received: int, payload: bytes = INFORMATION, *, final: bool = True, more: bool = False) -> bytes:
    return to_client(information(sent, received, poll_final=final), payload, segmented=more)


def ua(agreed=None) -> bytes:
    return to_client(said(FrameKind.UA), (agreed or limits(64, 3)).encode())


FRAMES = {
    J.UA: ua(),
    J.DM: to_client(said(FrameKind.DM)),
    J.FRMR: to_client(said(FrameKind.FRMR), b"\x10\x00\x01"),
    J.I: i_frame(0, 1),
    J.RR: rr(1),
    J.RNR: rr(1, kind=FrameKind.RNR),
    J.UI: to_client(said(FrameKind.UI), LLC_RESPONSE + b"\x0fpush"),
    J.VIOLATION: to_client(0xEF),
}
COMMANDS = {
    J.CONNECT: Connect(),
    J.SEND: SendApdu(REQUEST),
    J.SEND_UNCONFIRMED: SendUnconfirmed(REQUEST),
    J.DISCONNECT: Disconnect(),
}


def link_in(state: ClientLinkState, **changes) -> ClientLink:
    """A link that got into the state the way links do; nothing of it waits to be drained."""
    link = ClientLink(client_parameters(**changes))
    if state is not C.DISCONNECTED:
        link.send(Connect(), NOW)
    if state not in (C.DISCONNECTED, C.CONNECTING):
        link.receive_data(ua(), NOW)
    if state in (C.WAITING, C.PAUSED):
        link.send(SendApdu(REQUEST), NOW)
    if state is C.PAUSED:
        link.receive_data(rr(1), NOW)
    if state is C.DISCONNECTING:
        link.send(Disconnect(), NOW)
    drained(link)
    assert link.state is state
    return link


def frames_in(octets: bytes) -> list[HdlcFrame]:
    return [frame for frame in HdlcReader().receive(octets) if frame is not None]


def spoken(link: ClientLink) -> list[HdlcFrame]:
    return [frame for event in drained(link) if isinstance(event, SendOctets) for frame in frames_in(event.octets)]


@pytest.mark.parametrize("input_", FRAMES, ids=lambda input_: input_.name)
@pytest.mark.parametrize("state", C, ids=lambda state: state.name)
def test_every_frame_in_every_state_does_what_the_table_says(state: ClientLinkState, input_: ClientLinkInput) -> None:
    cell, link = CLIENT_LINK[state, input_], link_in(state)
    link.receive_data(FRAMES[input_], NOW)
    happened = drained(link)
    if cell.reaction is R.EXAMINE:
        after = {J.UA: C.CONNECTED, J.I: C.CONNECTED, J.RR: C.PAUSED, J.RNR: C.PAUSED}
        assert link.state is after[input_]
        assert all(isinstance(event, LinkOpened | ApduReceived) for event in happened)
        return
    assert link.state is cell.next
    kinds = {R.DELIVER: [UnconfirmedReceived], R.CLOSE: [LinkClosed]}.get(cell.reaction, [])
    assert [type(event) for event in happened] == kinds


@pytest.mark.parametrize("input_", COMMANDS, ids=lambda input_: input_.name)
@pytest.mark.parametrize("state", C, ids=lambda state: state.name)
def test_every_command_in_every_state_does_what_the_table_says(state: ClientLinkState, input_: ClientLinkInput) -> None:
    cell, link = CLIENT_LINK[state, input_], link_in(state)
    due = link.next_timeout()
    if cell.reaction is R.MISUSE:
        with pytest.raises(LocalError):
            link.send(COMMANDS[input_], NOW)
        assert (link.state, link.next_timeout()) == (state, due)
    else:
        kind = {R.CALL: FrameKind.SNRM, R.HANG_UP: FrameKind.DISC, R.TAKE_TURN: FrameKind.I, R.SEND: FrameKind.UI}
        assert [frame.kind for frame in frames_in(link.send(COMMANDS[input_], NOW))] == [kind[cell.reaction]]
    assert link.state is cell.next
    assert drained(link) == []


@pytest.mark.parametrize("state", C, ids=lambda state: state.name)
def test_time_in_every_state_does_what_the_table_says(state: ClientLinkState) -> None:
    cell, link = CLIENT_LINK[state, J.TIMEOUT], link_in(state)
    due = link.next_timeout()
    link.handle_timeout(NOW)
    assert (link.state, drained(link)) == (state, [])
    if due is None:
        link.handle_timeout(NOW + seconds(1e6))
        assert (cell.reaction, drained(link)) == (R.IGNORE, [])
        return
    link.handle_timeout(due)
    kind = {R.CALL: FrameKind.SNRM, R.HANG_UP: FrameKind.DISC, R.TAKE_TURN: FrameKind.I}[cell.reaction]
    assert [frame.kind for frame in spoken(link)] == [FrameKind.RR if state is C.PAUSED else kind]
    assert link.state is cell.next


@pytest.mark.parametrize("state", [C.CONNECTING, C.WAITING, C.DISCONNECTING], ids=lambda state: state.name)
def test_the_same_is_said_so_often_and_no_more(state: ClientLinkState) -> None:
    link, said_again = link_in(state), 0
    while (due := link.next_timeout()) is not None:
        link.handle_timeout(due)
        events = drained(link)
        said_again += isinstance(events[0], SendOctets)
    assert (said_again, events) == (TIMES.retries, [LinkClosed(LinkEnd.NO_ANSWER)])
    assert link.state is C.DISCONNECTED


@pytest.mark.parametrize(
    ("state", "input_", "end"),
    [
        (C.CONNECTING, J.DM, LinkEnd.REFUSED),
        (C.WAITING, J.DM, LinkEnd.PEER_DISCONNECTED),
        (C.CONNECTED, J.FRMR, LinkEnd.REJECTED),
        (C.WAITING, J.VIOLATION, LinkEnd.VIOLATION),
        (C.DISCONNECTING, J.UA, LinkEnd.REQUESTED),
        (C.DISCONNECTING, J.DM, LinkEnd.REQUESTED),
    ],
)
def test_the_end_says_why(state: ClientLinkState, input_: ClientLinkInput, end: LinkEnd) -> None:
    link = link_in(state)
    link.receive_data(FRAMES[input_], NOW)
    assert drained(link) == [LinkClosed(end)]
    assert link.next_timeout() is None
    link.send(Connect(), NOW)
    link.receive_data(ua(), NOW)
    assert drained(link) == [LinkOpened(SERVER, limits(64, 3))]


def test_a_broken_ua_is_a_refusal() -> None:
    link = link_in(C.CONNECTING)
    link.receive_data(to_client(said(FrameKind.UA), b"\x81"), NOW)
    assert drained(link) == [LinkClosed(LinkEnd.REFUSED)]


def test_a_client_needs_a_server() -> None:
    with pytest.raises(InvalidValueError):
        ClientLink(client_parameters(peer=None))


def test_the_first_frames_are_those_of_the_standard() -> None:
    link = ClientLink(client_parameters())
    [snrm] = frames_in(link.send(Connect(), NOW))
    assert (snrm.control, snrm.payload) == (0x93, limits(2030, 7).encode())
    link.receive_data(ua(limits(64, 3)), NOW)
    [request] = frames_in(link.send(SendApdu(REQUEST), NOW))
    assert (request.control, request.payload) == (0x10, LLC_COMMAND + REQUEST)
    link.receive_data(i_frame(0, 1), NOW)
    assert drained(link) == [LinkOpened(SERVER, limits(64, 3)), ApduReceived(ANSWER)]
    [request] = frames_in(link.send(SendApdu(REQUEST), NOW))
    assert request.control == 0x32


def test_a_long_request_goes_in_windows_and_only_the_last_frame_asks() -> None:
    link = link_in(C.CONNECTED)
    burst = frames_in(link.send(SendApdu(bytes(64 * 4)), NOW))
    assert [(frame.sent, frame.is_last, frame.segmented) for frame in burst] == [
        (0, False, True),
        (1, False, True),
        (2, True, True),
    ]
    link.receive_data(rr(2), NOW)  # the third was lost
    assert [(frame.sent, frame.is_last) for frame in spoken(link)] == [(2, False), (3, False), (4, True)]


def test_a_server_that_thinks_is_asked_again_after_a_pause_and_not_for_ever() -> None:
    link, asked, now = link_in(C.WAITING), 0, NOW
    while link.state is not C.DISCONNECTED:
        link.receive_data(rr(1), now)
        if link.state is C.PAUSED:
            assert link.next_timeout() == now + seconds(TIMES.pause_s)
            now = now + seconds(TIMES.pause_s)
            link.handle_timeout(now)
            [question] = spoken(link)
            assert (question.kind, question.is_last, question.received) == (FrameKind.RR, True, 0)
            asked += 1
    assert asked == TIMES.pauses
    assert drained(link) == [LinkClosed(LinkEnd.NO_ANSWER)]


def test_a_busy_server_is_asked_until_it_is_not_and_gets_the_request_then() -> None:
    link = link_in(C.WAITING)
    link.receive_data(rr(0, kind=FrameKind.RNR), NOW)
    assert link.state is C.PAUSED
    link.handle_timeout(NOW + seconds(TIMES.pause_s))
    assert [frame.kind for frame in spoken(link)] == [FrameKind.RR]
    link.receive_data(rr(0), NOW)
    assert [(frame.kind, frame.sent) for frame in spoken(link)] == [(FrameKind.I, 0)]
    link.receive_data(i_frame(0, 1), NOW)
    assert drained(link) == [ApduReceived(ANSWER)]
    assert link.state is C.CONNECTED


def test_an_answer_in_segments_is_fetched_to_its_end() -> None:
    link = link_in(C.WAITING)
    link.receive_data(i_frame(0, 1, INFORMATION[:5], more=True), NOW)
    assert [(frame.kind, frame.received) for frame in spoken(link)] == [(FrameKind.RR, 1)]
    link.receive_data(i_frame(1, 1, INFORMATION[5:7], final=False, more=True), NOW)
    assert drained(link) == []
    link.receive_data(i_frame(2, 1, INFORMATION[7:]), NOW)
    assert drained(link) == [ApduReceived(ANSWER)]


def test_a_gap_in_the_server_s_turn_is_asked_for_again() -> None:
    link = link_in(C.WAITING)
    link.receive_data(i_frame(1, 1, INFORMATION[5:]), NOW)
    assert [(frame.kind, frame.received) for frame in spoken(link)] == [(FrameKind.RR, 0)]
    link.receive_data(i_frame(0, 1, INFORMATION[:5], final=False, more=True) + i_frame(1, 1, INFORMATION[5:]), NOW)
    assert drained(link) == [ApduReceived(ANSWER)]


def test_a_late_duplicate_of_an_answer_is_no_answer_to_the_next_request() -> None:
    link = link_in(C.WAITING)
    link.receive_data(i_frame(0, 1), NOW)
    link.send(SendApdu(REQUEST), NOW)
    drained(link)
    link.receive_data(i_frame(0, 1) + rr(1), NOW)
    assert (link.state, drained(link)) == (C.WAITING, [])
    link.receive_data(i_frame(1, 2), NOW)
    assert drained(link) == [ApduReceived(ANSWER)]


def test_turns_that_bring_nothing_are_counted() -> None:
    link = link_in(C.WAITING)
    for _ in range(1 + TIMES.retries):
        link.receive_data(i_frame(1, 1), NOW)
        assert [frame.kind for frame in spoken(link)] == [FrameKind.RR]
    link.receive_data(i_frame(2, 1), NOW)
    assert [frame.kind for frame in spoken(link)] == []
    assert link.state is C.DISCONNECTED


@pytest.mark.parametrize(
    "frame",
    [
        rr(2),  # acknowledges what was never sent
        i_frame(0, 3),
        i_frame(0, 1, bytes(65)),
        i_frame(0, 1, b"\xe6\xe6\x00\xc4"),
        i_frame(0, 1, b""),
        to_client(supervisory(FrameKind.RR, 1, poll_final=True), b"octets that have no place here"),
        to_client(said(FrameKind.SNRM)),
        to_client(said(FrameKind.DISC)),
    ],
)
def test_a_server_that_breaks_a_rule_is_left(frame: bytes) -> None:
    link = link_in(C.WAITING)
    link.receive_data(frame, NOW)
    assert drained(link) == [LinkClosed(LinkEnd.VIOLATION)]


def test_an_answer_longer_than_the_limit_is_a_violation() -> None:
    link = link_in(C.WAITING, maximum_apdu_octets=10)
    link.receive_data(i_frame(0, 1, LLC_RESPONSE + bytes(11)), NOW)
    assert drained(link) == [LinkClosed(LinkEnd.VIOLATION)]


def test_the_wait_includes_the_time_of_our_own_octets() -> None:
    times = LinkTimes(response_s=2.0, octet_s=0.5)
    link = ClientLink(client_parameters(times=times))
    octets = link.send(Connect(), NOW)
    assert link.next_timeout() == NOW + seconds(2.0 + 0.5 * len(octets))


def test_no_frames_commands_and_times_make_it_raise() -> None:
    assert escape(lambda: ClientLink(client_parameters()), to_client, list(COMMANDS.values())) is None


BUGS = {
    "an answer that is none": (
        r"except MalformedError:\n                self",
        "except ZeroDivisionError:\n                self",
    ),
    "frames that are undefined": (r"_INPUTS\.get\(frame\.kind, _J\.VIOLATION\)", "_INPUTS[frame.kind]"),
    "an impossible number": (r"if count is None or", "if"),
}


@pytest.mark.parametrize("bug", BUGS)
def test_the_frames_commands_and_times_find_a_seeded_bug(bug: str) -> None:
    broken = seeded(hdlc_client, "ClientLink", *BUGS[bug])
    assert escape(lambda: broken(client_parameters()), to_client, list(COMMANDS.values())) is not None
