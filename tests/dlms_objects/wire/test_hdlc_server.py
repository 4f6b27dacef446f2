"""The server's end of a link: every cell of its table, DM, FRMR, RNR, and the client it listens to."""

import pytest

from dlms_objects.errors import LocalError
from dlms_objects.wire import hdlc_server
from dlms_objects.wire.events import SendOctets
from dlms_objects.wire.hdlc_address import HdlcAddress
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
from dlms_objects.wire.hdlc_reader import HdlcReader
from dlms_objects.wire.hdlc_segments import LLC_COMMAND, LLC_RESPONSE
from dlms_objects.wire.hdlc_server import ServerLink
from dlms_objects.wire.hdlc_states import SERVER_LINK, LinkReaction, ServerLinkInput, ServerLinkState
from tests.support.links import (
    CLIENT,
    NOW,
    TIMES,
    drained,
    escape,
    limits,
    said,
    seconds,
    server_parameters,
    to_server,
)
from tests.support.seeded import seeded

S, I, R = ServerLinkState, ServerLinkInput, LinkReaction  # noqa: E741
OTHER = HdlcAddress.client(17)
REQUEST, ANSWER = b"\xc0request", b"\xc4answer"
INFORMATION = LLC_COMMAND + REQUEST
SNRM = to_server(said(FrameKind.SNRM), limits(64, 3).encode())
DISC = to_server(said(FrameKind.DISC))
UNDEFINED = to_server(0xFF)


def rr(received: int, *, poll: bool = True, kind: FrameKind = FrameKind.RR) -> bytes:
    return to_server(supervisory(kind, received, poll_final=poll))


def i_frame(sent: int, received: int, payload: bytes = INFORMATION, *, poll: bool = True, more: bool = False) -> bytes:
    return to_server(information(sent, received, poll_final=poll), payload, segmented=more)


COMMANDS = {
    I.CONNECT: Connect(),
    I.SEND: SendApdu(ANSWER),
    I.SEND_UNCONFIRMED: SendUnconfirmed(ANSWER, CLIENT),
    I.DISCONNECT: Disconnect(),
}


def frame_for(state: ServerLinkState, input_: ServerLinkInput) -> bytes:
    """A frame that is in order in that state."""
    expected = 1 if state is S.ANSWERING else 0
    return {
        I.SNRM: SNRM,
        I.DISC: DISC,
        I.I: i_frame(expected, 0),
        I.RR: rr(0),
        I.RNR: rr(0, kind=FrameKind.RNR),
        I.UI: to_server(said(FrameKind.UI, poll_final=False), INFORMATION),
        I.VIOLATION: UNDEFINED,
    }[input_]


FRAME_INPUTS = [I.SNRM, I.DISC, I.I, I.RR, I.RNR, I.UI, I.VIOLATION]


def link_in(state: ServerLinkState, **changes) -> ServerLink:
    """A link that got into the state the way links do; nothing of it waits to be drained."""
    link = ServerLink(server_parameters(**changes))
    if state is not S.DISCONNECTED:
        link.receive_data(SNRM, NOW)
    if state is S.ANSWERING:
        link.receive_data(i_frame(0, 0), NOW)
    if state is S.REJECTING:
        link.receive_data(UNDEFINED, NOW)
    drained(link)
    assert link.state is state
    return link


def frames_in(octets: bytes) -> list[HdlcFrame]:
    return [frame for frame in HdlcReader().receive(octets) if frame is not None]


def happened(link: ServerLink) -> tuple[list[FrameKind], list[object]]:
    """The kinds of frames it says, and its other events."""
    events = drained(link)
    kinds = [frame.kind for each in events if isinstance(each, SendOctets) for frame in frames_in(each.octets)]
    return kinds, [event for event in events if not isinstance(event, SendOctets)]


SAYS = {R.DENY: [FrameKind.DM], R.REJECT: [FrameKind.FRMR], R.AGREE: [FrameKind.UA], R.DELIVER: [], R.IGNORE: []}
EXAMINED = {
    (S.CONNECTED, I.I): (S.ANSWERING, []),
    (S.CONNECTED, I.RR): (S.CONNECTED, [FrameKind.RR]),
    (S.CONNECTED, I.RNR): (S.CONNECTED, [FrameKind.RR]),
    (S.ANSWERING, I.I): (S.CONNECTED, [FrameKind.RNR]),
    (S.ANSWERING, I.RR): (S.ANSWERING, []),
    (S.ANSWERING, I.RNR): (S.ANSWERING, []),
    **{(state, I.SNRM): (S.CONNECTED, [FrameKind.UA]) for state in S},
}


@pytest.mark.parametrize("input_", FRAME_INPUTS, ids=lambda input_: input_.name)
@pytest.mark.parametrize("state", S, ids=lambda state: state.name)
def test_every_frame_in_every_state_does_what_the_table_says(state: ServerLinkState, input_: ServerLinkInput) -> None:
    cell, link = SERVER_LINK[state, input_], link_in(state)
    link.receive_data(frame_for(state, input_), NOW)
    said_kinds, events = happened(link)
    was_open = state in (S.CONNECTED, S.ANSWERING)
    if cell.reaction is R.EXAMINE:
        assert (link.state, said_kinds) == EXAMINED[state, input_]
        opened = [LinkClosed(LinkEnd.RESET)] * was_open + [LinkOpened(CLIENT, limits(64, 3))]
        requests = [ApduReceived(REQUEST)] * (input_ is I.I and state is S.CONNECTED)
        assert events == (opened if input_ is I.SNRM else requests)
        return
    assert (link.state, said_kinds) == (cell.next, SAYS[cell.reaction])
    ends = {R.REJECT: LinkEnd.VIOLATION, R.AGREE: LinkEnd.REQUESTED}
    if cell.reaction is R.DELIVER:
        assert events == [UnconfirmedReceived(REQUEST, CLIENT)]
    else:
        assert events == ([LinkClosed(ends[cell.reaction])] if was_open else [])


@pytest.mark.parametrize("input_", COMMANDS, ids=lambda input_: input_.name)
@pytest.mark.parametrize("state", S, ids=lambda state: state.name)
def test_every_command_in_every_state_does_what_the_table_says(state: ServerLinkState, input_: ServerLinkInput) -> None:
    cell, link = SERVER_LINK[state, input_], link_in(state)
    due = link.next_timeout()
    if cell.reaction is R.MISUSE:
        with pytest.raises(LocalError):
            link.send(COMMANDS[input_], NOW)
        assert (link.state, link.next_timeout(), drained(link)) == (state, due, [])
        return
    octets = link.send(COMMANDS[input_], NOW)
    kinds = {R.TAKE_TURN: [FrameKind.I], R.DENY: [FrameKind.DM], R.SEND: [FrameKind.UI]}.get(cell.reaction, [])
    assert [frame.kind for frame in frames_in(octets)] == kinds
    assert link.state is cell.next
    is_closed = input_ is I.DISCONNECT and state in (S.CONNECTED, S.ANSWERING)
    assert drained(link) == ([LinkClosed(LinkEnd.REQUESTED)] if is_closed else [])


@pytest.mark.parametrize("state", S, ids=lambda state: state.name)
def test_time_in_every_state_does_what_the_table_says(state: ServerLinkState) -> None:
    link = link_in(state)
    due, input_ = link.next_timeout(), I.ANSWER_LATE if state is S.ANSWERING else I.INACTIVE
    cell = SERVER_LINK[state, input_]
    link.handle_timeout(NOW)
    assert (link.state, drained(link)) == (state, [])
    if state is S.DISCONNECTED:
        assert due is None
        return
    assert due == NOW + seconds(TIMES.answer_s if state is S.ANSWERING else TIMES.inactivity_s)
    link.handle_timeout(due)
    assert link.state is cell.next
    ends = [LinkClosed(LinkEnd.INACTIVITY)] if state is S.CONNECTED else []
    assert happened(link) == ([FrameKind.RR] if state is S.ANSWERING else [], ends)


def answer_to(link: ServerLink, octets: bytes) -> HdlcFrame:
    link.receive_data(octets, NOW)
    [frame] = [frame for event in drained(link) if isinstance(event, SendOctets) for frame in frames_in(event.octets)]
    return frame


def test_the_ua_holds_what_was_agreed() -> None:
    link = ServerLink(server_parameters(limits=limits(100, 2)))
    link.receive_data(to_server(0x93, limits(64, 7).encode()), NOW)
    [sent, opened] = drained(link)
    assert frames_in(sent.octets)[0].payload == limits(64, 2).encode()
    assert opened == LinkOpened(CLIENT, limits(64, 2))


@pytest.mark.parametrize("state", S, ids=lambda state: state.name)
def test_an_snrm_with_broken_parameters_is_answered_dm(state: ServerLinkState) -> None:
    link = link_in(state)
    link.receive_data(to_server(0x93, b"\x81"), NOW)
    ends = [LinkClosed(LinkEnd.RESET)] if state in (S.CONNECTED, S.ANSWERING) else []
    assert happened(link) == ([FrameKind.DM], ends)
    assert link.state is S.DISCONNECTED


W, X, Y, Z = 1, 2, 4, 8


@pytest.mark.parametrize(
    ("octets", "cause"),
    [
        (UNDEFINED, W),
        (to_server(said(FrameKind.UA)), W),
        (to_server(said(FrameKind.DM)), W),
        (to_server(said(FrameKind.FRMR)), W),
        (to_server(supervisory(FrameKind.RR, 0, poll_final=True), b"octets"), W | X),
        (i_frame(0, 0, bytes(65)), Y),
        (i_frame(0, 0, b"\xe6\xe7\x00\xc0"), X),
        (i_frame(0, 0, b""), X),
        (rr(1), Z),
        (i_frame(0, 7), Z),
    ],
)
def test_a_broken_rule_is_answered_frmr_that_says_which(octets: bytes, cause: int) -> None:
    link, control = link_in(S.CONNECTED), frames_in(octets)[0].control
    frame = answer_to(link, octets)
    expected = link._window.expected
    assert (frame.kind, frame.payload) == (FrameKind.FRMR, bytes((control, expected << 5, cause)))
    assert answer_to(link, rr(0)) == frame
    assert answer_to(link, SNRM).kind is FrameKind.UA
    assert answer_to(link, rr(0)).kind is FrameKind.RR


def test_frmr_holds_both_sequence_variables() -> None:
    link = link_in(S.ANSWERING)
    link.send(SendApdu(ANSWER), NOW)
    assert answer_to(link, UNDEFINED).payload == bytes((0xFF, 1 << 5 | 1 << 1, W))


def test_nothing_is_said_out_of_turn() -> None:
    link = link_in(S.CONNECTED)
    link.receive_data(rr(0, poll=False) + i_frame(0, 0, INFORMATION[:5], poll=False, more=True), NOW)
    assert drained(link) == []
    link.receive_data(to_server(0xEF), NOW)
    assert drained(link) == [LinkClosed(LinkEnd.VIOLATION)]
    assert answer_to(link, rr(0)).kind is FrameKind.FRMR
    link = link_in(S.DISCONNECTED)
    link.receive_data(rr(0, poll=False), NOW)
    assert drained(link) == []


def test_the_answer_goes_at_once_in_our_turn_and_otherwise_when_it_is_asked_for() -> None:
    link = link_in(S.ANSWERING)
    [frame] = frames_in(link.send(SendApdu(ANSWER), NOW))
    assert (frame.control, frame.payload) == (information(0, 1, poll_final=True), LLC_RESPONSE + ANSWER)
    assert answer_to(link, rr(0)) == frame  # asked again: it was lost
    assert answer_to(link, rr(1)).kind is FrameKind.RR
    link.receive_data(i_frame(1, 1), NOW)
    drained(link)
    link.handle_timeout(NOW + seconds(TIMES.answer_s))
    assert happened(link) == ([FrameKind.RR], [])
    assert link.send(SendApdu(ANSWER), NOW) == b""
    assert answer_to(link, rr(1)).sent == 1


def test_a_request_repeated_while_the_application_thinks_changes_nothing() -> None:
    link = link_in(S.ANSWERING)
    link.receive_data(i_frame(0, 0), NOW + seconds(0.5))
    assert drained(link) == []
    assert link.next_timeout() == NOW + seconds(TIMES.answer_s)


def test_a_second_request_before_the_answer_is_held_off_and_taken_later() -> None:
    link = link_in(S.ANSWERING)
    assert answer_to(link, i_frame(1, 0)).control == supervisory(FrameKind.RNR, 1, poll_final=True)
    link.send(SendApdu(ANSWER), NOW)
    assert answer_to(link, rr(0)).payload == LLC_RESPONSE + ANSWER
    link.receive_data(i_frame(1, 1), NOW)
    assert happened(link) == ([], [ApduReceived(REQUEST)])


def test_an_answer_waits_for_a_client_that_is_busy() -> None:
    link = link_in(S.CONNECTED)
    link.receive_data(i_frame(0, 0, poll=False), NOW)
    assert link.send(SendApdu(ANSWER), NOW) == b""
    assert answer_to(link, rr(0, kind=FrameKind.RNR)).kind is FrameKind.RR
    assert answer_to(link, rr(0)).kind is FrameKind.I


def test_a_busy_client_lets_the_application_think() -> None:
    link = link_in(S.CONNECTED)
    link.send(SendApdu(ANSWER), NOW)
    assert answer_to(link, rr(0)).kind is FrameKind.I
    link.receive_data(i_frame(0, 0, poll=False) + rr(0, kind=FrameKind.RNR), NOW)
    assert link.state is S.ANSWERING


def test_one_apdu_waits_for_its_turn_and_no_second() -> None:
    link = link_in(S.CONNECTED)
    link.send(SendApdu(ANSWER), NOW)
    with pytest.raises(LocalError):
        link.send(SendApdu(ANSWER), NOW)


def test_another_client_is_not_heard_until_it_takes_the_link_over() -> None:
    link = link_in(S.CONNECTED)
    for control in (0x11, 0x10, 0x53, 0xFF):
        link.receive_data(to_server(control, source=OTHER), NOW)
    assert (link.state, drained(link)) == (S.CONNECTED, [])
    link.receive_data(to_server(0x93, limits(64, 3).encode(), source=OTHER), NOW)
    events = drained(link)
    assert events[0] == LinkClosed(LinkEnd.RESET)
    assert events[2] == LinkOpened(OTHER, limits(64, 3))
    assert frames_in(events[1].octets)[0].destination == OTHER
    link.receive_data(rr(0), NOW)
    assert drained(link) == []


def test_a_new_link_begins_with_numbers_at_zero_and_owes_nothing() -> None:
    link = link_in(S.ANSWERING)
    link.receive_data(SNRM, NOW)
    drained(link)
    link.receive_data(i_frame(0, 0), NOW)
    assert happened(link) == ([], [ApduReceived(REQUEST)])


def test_silence_ends_the_link_and_every_frame_puts_that_off() -> None:
    link = link_in(S.CONNECTED)
    link.receive_data(rr(0, poll=False), NOW + seconds(30))
    due = NOW + seconds(30 + TIMES.inactivity_s)
    assert link.next_timeout() == due
    link.handle_timeout(due)
    assert drained(link) == [LinkClosed(LinkEnd.INACTIVITY)]
    assert answer_to(link, rr(0)).kind is FrameKind.DM


def test_no_frames_commands_and_times_make_it_raise() -> None:
    assert escape(lambda: ServerLink(server_parameters()), to_server, list(COMMANDS.values())) is None


BUGS = {
    "frames that are undefined": (r"if kind not in _INPUTS:", "if False:"),
    "broken parameters": (r"except MalformedError:(\n            self)", r"except ZeroDivisionError:\1"),
    "a request that is none": (
        r"except MalformedError:\n                self",
        "except ZeroDivisionError:\n                self",
    ),
}


@pytest.mark.parametrize("bug", BUGS)
def test_the_frames_commands_and_times_find_a_seeded_bug(bug: str) -> None:
    broken = seeded(hdlc_server, "ServerLink", *BUGS[bug])
    assert escape(lambda: broken(server_parameters()), to_server, list(COMMANDS.values())) is not None
