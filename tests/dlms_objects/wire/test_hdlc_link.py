"""Client link against server link: every APDU arrives once, whole and in order, whatever befalls the line between."""

import random
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError, LocalError
from dlms_objects.wire import hdlc_client, hdlc_server, hdlc_window
from dlms_objects.wire.hdlc_address import HdlcAddress
from dlms_objects.wire.hdlc_client import ClientLink
from dlms_objects.wire.hdlc_control import FrameKind, unnumbered
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
from dlms_objects.wire.hdlc_parameters import LinkLimits, LinkTimes
from dlms_objects.wire.hdlc_reader import HdlcReader
from dlms_objects.wire.hdlc_segments import LLC_RESPONSE
from dlms_objects.wire.hdlc_server import ServerLink
from dlms_objects.wire.hdlc_states import ClientLinkState, ServerLinkState
from tests.support.links import (
    CLIENT,
    NOW,
    SERVER,
    TIMES,
    Faults,
    LinkPair,
    byte_by_byte,
    client_parameters,
    drained,
    echo,
    limits,
    seconds,
    server_parameters,
    to_client,
    to_server,
    whole,
)
from tests.support.seeded import seeded
from tests.support.vectors import load, parts

APDUS = [bytes((number,)) * length for number, length in enumerate((1, 2, 61, 125, 126, 250, 500))]


def frames_in(octets: bytes) -> list[HdlcFrame]:
    return [frame for frame in HdlcReader().receive(octets) if frame is not None]


def noisy(octets: bytes):
    yield b"\x00noise\xff\x7e\xa0\x33"
    yield octets + b"\x7e\x7e\xa1"


def with_tail(octets: bytes):
    yield octets[:3]
    yield octets[3:] + b"\x7e"


@pytest.mark.parametrize("cut", [whole, byte_by_byte, noisy, with_tail])
@pytest.mark.parametrize("window", [1, 2, 3, 7])
@pytest.mark.parametrize("information", [1, 4, 64, 128, 2030])
def test_every_apdu_arrives_once_and_in_order(information: int, window: int, cut) -> None:
    pair = LinkPair.make(limits(information, window), uplink=cut, downlink=cut)
    opened = pair.connect()
    assert opened == LinkOpened(SERVER, limits(information, window))
    for apdu in APDUS:
        assert pair.ask(apdu) == echo(apdu)
    assert pair.requests == APDUS
    assert pair.run(Disconnect()) == LinkClosed(LinkEnd.REQUESTED)
    assert pair.server_events[-1] == LinkClosed(LinkEnd.REQUESTED)
    assert (pair.client.state, pair.server.state) == (ClientLinkState.DISCONNECTED, ServerLinkState.DISCONNECTED)


@pytest.mark.parametrize(("uplink_window", "downlink_window"), [(1, 7), (7, 1), (2, 3)])
def test_the_two_directions_have_limits_of_their_own(uplink_window: int, downlink_window: int) -> None:
    mine = limits(100, 7)
    theirs = type(mine)(
        information_sent=50, information_received=30, window_sent=downlink_window, window_received=uplink_window
    )
    pair = LinkPair.make(mine, theirs)
    agreed = pair.connect().limits
    assert (agreed.information_sent, agreed.information_received) == (30, 50)
    assert (agreed.window_sent, agreed.window_received) == (uplink_window, downlink_window)
    for apdu in APDUS:
        assert pair.ask(apdu) == echo(apdu)
    for octets, longest, window in (
        *((octets, 30, uplink_window) for octets in pair.sent_by_client),
        *((octets, 50, downlink_window) for octets in pair.sent_by_server),
    ):
        frames = [frame for frame in frames_in(octets) if frame.kind is FrameKind.I]
        assert len(frames) <= window
        assert all(len(frame.payload) <= longest for frame in frames)
        assert [frame.is_last for frame in frames] == [False] * (len(frames) - 1) + [True] * bool(frames)


@pytest.mark.parametrize("window", [1, 3])
def test_an_apdu_of_any_length_arrives_at_every_size_of_the_information_field(window: int) -> None:
    for information in (5, 32, 128):
        pair = LinkPair.make(limits(information, window))
        pair.connect()
        for length in range(1, information * 2 + 8):
            apdu = bytes(length)
            assert pair.ask(apdu) == echo(apdu)


def outcome_under_faults(seed: int, client_class=ClientLink, server_class=ServerLink) -> str:
    """What goes wrong on a bad line with links that never tire, "" when nothing does."""
    dice = random.Random(seed)
    faults = Faults(seed, 0.3)
    times = LinkTimes(response_s=3.0, retries=60, answer_s=1.0, inactivity_s=100_000.0)
    can = limits(dice.choice((7, 20, 128)), dice.randint(1, 7))
    pair = LinkPair(
        client_class(client_parameters(limits=can, times=times)),
        server_class(server_parameters(times=times)),
        uplink=faults,
        downlink=faults,
    )
    apdus = [dice.randbytes(dice.randint(1, 200)) for _ in range(4)]
    try:
        pair.connect()
        for apdu in apdus:
            if pair.ask(apdu) != echo(apdu):
                return "another answer"
    except AssertionError as error:
        return str(error) or "an assertion"
    return "" if pair.requests == apdus else "a request came twice or never"


def test_lost_doubled_cut_and_changed_frames_are_healed() -> None:
    assert {outcome_under_faults(seed) for seed in range(150)} == {""}


def seeded_link(module: ModuleType, name: str, pattern: str, replacement: str) -> dict[str, type]:
    """The classes of a pair in which one has a bug."""
    broken = seeded(module, name, pattern, replacement)
    if name == "ServerLink":
        return {"server_class": broken}
    if name == "Window":

        class Client(ClientLink):
            def _open(self, agreed: LinkLimits) -> None:
                super()._open(agreed)
                self._window = broken(agreed.window_sent)

        broken = Client
    return {"client_class": broken}


BUGS = {
    "never asks again": (hdlc_client, "ClientLink", r"self\._again\(_J\.TIMEOUT, now\)", "pass"),
    "does not see a gap": (hdlc_client, "ClientLink", r"is_expected = .*", "is_expected = True"),
    "takes a request twice": (hdlc_server, "ServerLink", r"(is_news = .*) and .*", r"\1"),
    "sends its answer once": (
        hdlc_server,
        "ServerLink",
        r"self\._say\(self\._turn\(\)\[0\]\)",
        "self._say(self._frame(supervisory(FrameKind.RR, self._window.expected, poll_final=True)))",
    ),
    "forgets too much": (hdlc_window, "Window", r"for _ in range\(count\):", "for _ in range(len(self._queue)):"),
    "believes all arrived": (hdlc_window, "Window", r"count = \(received - .*", "count = self._in_flight"),
}


@pytest.mark.parametrize("bug", BUGS)
def test_the_faults_find_a_seeded_bug(bug: str) -> None:
    classes = seeded_link(*BUGS[bug])
    assert any(fault_found(seed, classes) for seed in range(60))


def fault_found(seed: int, classes: dict[str, type]) -> str:
    try:
        return outcome_under_faults(seed, **classes)
    except Exception as error:  # noqa: BLE001 - any escape is what is searched for
        return type(error).__name__


@settings(max_examples=30)
@given(
    st.integers(1, 300),
    st.integers(1, 7),
    st.integers(1, 300),
    st.integers(1, 7),
    st.lists(st.binary(min_size=1, max_size=400), max_size=4),
)
def test_any_two_stations_understand_each_other(one: int, window: int, other: int, other_window: int, apdus) -> None:
    pair = LinkPair.make(limits(one, window), limits(other, other_window), downlink=byte_by_byte)
    pair.connect()
    assert [pair.ask(apdu) for apdu in apdus] == [echo(apdu) for apdu in apdus]


# --- others on the line ---


def test_frames_for_or_from_another_station_are_ignored() -> None:
    pair = LinkPair.make()
    pair.connect()
    others = [HdlcAddress.server(1, 18), HdlcAddress.server(2, 17), HdlcAddress.server(1), HdlcAddress.server(1, 0x7F)]
    for other in others:
        for control in (0x93, 0x53, 0x10, 0x11):
            pair.server.receive_data(HdlcFrame(other, CLIENT, control).encode(), NOW)
    assert (drained(pair.server), pair.server.state) == ([], ServerLinkState.CONNECTED)
    pair.client.send(SendApdu(b"request"), NOW)
    for destination, source in ((HdlcAddress.client(17), SERVER), (CLIENT, others[0]), (SERVER, CLIENT)):
        pair.client.receive_data(HdlcFrame(destination, source, 0x1F).encode(), NOW)
    assert (drained(pair.client), pair.client.state) == ([], ClientLinkState.WAITING)


def test_several_servers_share_a_line() -> None:
    addresses = [HdlcAddress.server(1, physical) for physical in (17, 18, 300)]
    servers = [ServerLink(server_parameters(own=address)) for address in addresses]
    for address in addresses:
        client = ClientLink(client_parameters(peer=address))
        octets = client.send(Connect(), NOW)
        for command in (SendApdu(b"to " + address.octets), Disconnect()):
            octets = exchange(client, servers, octets)
            assert client.state is ClientLinkState.CONNECTED
            octets = client.send(command, NOW)
        exchange(client, servers, octets)
        assert client.state is ClientLinkState.DISCONNECTED


def exchange(client: ClientLink, servers: list[ServerLink], octets: bytes) -> bytes:
    """All servers hear all octets; at most one of them answers."""
    answers = []
    for server in servers:
        server.receive_data(octets, NOW)
        for event in drained(server):
            if isinstance(event, ApduReceived):
                assert event.apdu == b"to " + server._parameters.own.octets
                answers.append(server.send(SendApdu(echo(event.apdu)), NOW))
            elif not isinstance(event, LinkOpened | LinkClosed):
                answers.append(event.octets)
    assert len(answers) == 1
    client.receive_data(answers[0], NOW)
    return b""


def test_a_server_answers_in_the_form_of_address_it_was_called_by() -> None:
    long = HdlcAddress(upper=1, lower=17, octet_count=4)
    pair = LinkPair(ClientLink(client_parameters(peer=long)), ServerLink(server_parameters()))
    pair.connect()
    assert pair.ask(b"request") == echo(b"request")
    assert all(frame.source == long for octets in pair.sent_by_server for frame in frames_in(octets))


# --- unconfirmed ---


@pytest.mark.parametrize("length", [1, 125, 126, 1000])
def test_an_unconfirmed_apdu_arrives_with_or_without_a_link(length: int) -> None:
    pair, apdu = LinkPair.make(), bytes(length)
    for has_link in (False, True):
        if has_link:
            pair.connect()
        octets = pair.client.send(SendUnconfirmed(apdu), NOW)
        pair.server.receive_data(octets, NOW)
        assert drained(pair.server) == [UnconfirmedReceived(apdu, CLIENT)]
        octets = pair.server.send(SendUnconfirmed(apdu, CLIENT), NOW)
        pair.client.receive_data(octets, NOW)
        assert drained(pair.client) == [UnconfirmedReceived(apdu, SERVER)]


@pytest.mark.parametrize("vector_id", ["push-iskra550", "push-norway_han_3phase", "push-e450-cyprus", "hdlc-epri-ui"])
def test_the_pushes_of_real_meters_are_taken(vector_id: str) -> None:
    [vector] = [vector for vector in load("hdlc", valid=True) if vector["id"] == vector_id]
    [first, *_] = frames_in(parts(vector)[0])
    client = ClientLink(client_parameters(own=first.destination, peer=first.source))
    for octets in parts(vector):
        client.receive_data(octets, NOW)
    received = drained(client)
    assert all(isinstance(event, UnconfirmedReceived) for event in received)
    is_in_blocks = vector["class"] == "general-block-transfer"
    assert len(received) == (3 if is_in_blocks else 1)
    if "apdu_hex" in vector["expect"] and not is_in_blocks:
        assert received[0].apdu.hex() == vector["expect"]["apdu_hex"]


def ui(payload: bytes, *, segmented: bool = False, source: HdlcAddress = SERVER) -> bytes:
    return to_client(unnumbered(FrameKind.UI, poll_final=not segmented), payload, segmented=segmented, source=source)


def test_a_broadcast_is_heard_and_never_answered() -> None:
    server, client = ServerLink(server_parameters()), ClientLink(client_parameters())
    for everybody in (HdlcAddress.server(1, 0x7F), HdlcAddress.server(0x3FFF, 0x3FFF)):
        server.receive_data(HdlcFrame(everybody, CLIENT, 0x03, b"\xe6\xe6\x00\xc0").encode(), NOW)
        assert drained(server) == [UnconfirmedReceived(b"\xc0", CLIENT)]
        server.receive_data(HdlcFrame(everybody, CLIENT, 0x93).encode(), NOW)
        assert drained(server) == []
    client.receive_data(HdlcFrame(HdlcAddress.client(0x7F), SERVER, 0x13, b"\xe6\xe7\x00\xc2").encode(), NOW)
    assert drained(client) == [UnconfirmedReceived(b"\xc2", SERVER)]


def test_a_push_that_may_have_lost_a_part_is_dropped_whole() -> None:
    head, tail = ui(LLC_RESPONSE + b"head", segmented=True), ui(b"tail")
    broken = bytearray(ui(b"middle", segmented=True))
    broken[12] ^= 1
    client = ClientLink(client_parameters())
    for piece in (head + bytes(broken) + tail, bytes(broken) + head[:5], head[5:] + ui(b"")):
        client.receive_data(piece, NOW)
        assert drained(client) == []
    client = ClientLink(client_parameters())
    client.receive_data(head, NOW)
    client.receive_data(tail, NOW + seconds(TIMES.response_s))
    assert drained(client) == []
    client.receive_data(head + tail, NOW)
    assert drained(client) == [UnconfirmedReceived(b"headtail", SERVER)]


def test_the_parts_of_two_pushers_are_not_mixed() -> None:
    server = ServerLink(server_parameters())
    head = to_server(0x03, b"\xe6\xe6\x00head", segmented=True)
    server.receive_data(head + to_server(0x03, b"tail", source=HdlcAddress.client(17)), NOW)
    assert drained(server) == []


def test_an_unconfirmed_apdu_needs_somewhere_to_go() -> None:
    server = ServerLink(server_parameters())
    with pytest.raises(LocalError):
        server.send(SendUnconfirmed(b"apdu"), NOW)


# --- limits and time ---


@pytest.mark.parametrize("length", [0, 65536])
def test_an_apdu_that_is_none_or_too_long_is_not_sent(length: int) -> None:
    pair = LinkPair.make()
    pair.connect()
    for command in (SendApdu(bytes(length)), SendUnconfirmed(bytes(length))):
        with pytest.raises(InvalidValueError):
            pair.client.send(command, NOW)
    assert pair.ask(b"request") == echo(b"request")


def test_a_frame_that_stops_is_given_up_after_the_inter_octet_time_out() -> None:
    for is_late_by_timer in (True, False):
        server = ServerLink(server_parameters())
        snrm = to_server(0x93)
        server.receive_data(snrm[:5], NOW)
        due = server.next_timeout()
        assert due == NOW + seconds(TIMES.inter_octet_s)
        if is_late_by_timer:
            server.handle_timeout(due - seconds(0.001))
            assert server.next_timeout() == due
            server.handle_timeout(due)
            assert server.next_timeout() is None
        server.receive_data(snrm, due)
        assert server.state is ServerLinkState.CONNECTED
        assert (server.corrupt_frames, server.dropped_octets) == (1, 4)


def test_a_frame_behind_one_that_stopped_is_heard_when_the_rest_is_overdue() -> None:
    server = ServerLink(server_parameters())
    server.receive_data(to_server(0x13, bytes(900))[:100] + to_server(0x93), NOW)
    assert server.state is ServerLinkState.DISCONNECTED
    server.handle_timeout(NOW + seconds(TIMES.inter_octet_s))
    assert server.state is ServerLinkState.CONNECTED


def test_an_answer_that_is_coming_in_is_not_overdue() -> None:
    client = ClientLink(client_parameters())
    client.send(Connect(), NOW)
    due = client.next_timeout()
    client.receive_data(to_client(0x73)[:6], due - seconds(0.1))
    assert client.next_timeout() > due
    client.handle_timeout(due)
    assert drained(client) == []
    client.receive_data(to_client(0x73)[6:], due + seconds(0.1))
    assert client.state is ClientLinkState.CONNECTED
    assert client.next_timeout() is None
