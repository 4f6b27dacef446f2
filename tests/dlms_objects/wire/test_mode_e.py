"""The opening of an optical port: both roles against each other and line by line, every state and every line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError, LocalError
from dlms_objects.wire import mode_e
from dlms_objects.wire.events import SendOctets
from dlms_objects.wire.mode_e import (
    BAUD_RATES,
    MAXIMUM_LINE_OCTETS,
    OPENING_MODE,
    Identified,
    LineMode,
    Opened,
    OpeningClient,
    OpeningFailed,
    OpeningFailure,
    OpeningParameters,
    OpeningServer,
    OpeningState,
    SetLine,
)
from tests.support.links import NOW, byte_by_byte, seconds, whole
from tests.support.mutation import mutations
from tests.support.seeded import seeded

S = OpeningState
SIGN_ON, IDENTIFICATION, CHOICE = b"/?!\r\n", b"/MPR5\\2MeterPurse\r\n", b"\x06252\r\n"


def hdlc_at(baud: int) -> SetLine:
    return SetLine(LineMode(baud=baud, data_bits=8, parity="N"))


def events_of(engine) -> list[object]:
    return list(iter(engine.next_event, None))


def parameters(**changes) -> OpeningParameters:
    return OpeningParameters(**{"fastest": "5"} | changes)


def client_in(state: OpeningState, **changes) -> OpeningClient:
    client = OpeningClient(parameters(**changes))
    if state is not S.IDLE:
        client.start(NOW)
    if state in (S.CONFIRMING, S.OPEN):
        client.receive_data(IDENTIFICATION, NOW)
    if state is S.OPEN:
        client.receive_data(CHOICE, NOW)
    if state is S.FAILED:
        client.receive_data(b"/MPR5MeterPurse\r\n", NOW)
    events_of(client)
    assert client.state is state
    return client


def server_in(state: OpeningState, **changes) -> OpeningServer:
    server = OpeningServer(parameters(**changes))
    if state is not S.IDLE:
        server.receive_data(SIGN_ON, NOW)
    if state is S.OPEN:
        server.receive_data(CHOICE, NOW)
    events_of(server)
    assert server.state is state
    return server


@pytest.mark.parametrize("cut", [whole, byte_by_byte])
@pytest.mark.parametrize(("client_rate", "server_rate"), [("5", "5"), ("0", "6"), ("6", "3")])
def test_both_end_up_at_the_fastest_rate_that_both_can_do(client_rate: str, server_rate: str, cut) -> None:
    client = OpeningClient(parameters(fastest=client_rate, device_address="0042"))
    server = OpeningServer(parameters(fastest=server_rate, device_address="42", manufacturer="ABc", name="Meter 1"))
    client.start(NOW)
    seen: dict[object, list[object]] = {client: [], server: []}
    for _ in range(4):
        for engine, other in ((client, server), (server, client)):
            for event in events_of(engine):
                seen[engine].append(event)
                if isinstance(event, SendOctets):
                    for piece in cut(event.octets):
                        other.receive_data(piece, NOW)
    rate = min(client_rate, server_rate)
    both = [SetLine(OPENING_MODE), hdlc_at(BAUD_RATES[rate]), Opened()]
    assert [event for event in seen[server] if not isinstance(event, SendOctets)] == both
    assert [event for event in seen[client] if not isinstance(event, SendOctets)] == [
        both[0],
        Identified("ABc", "Meter 1"),
        *both[1:],
    ]
    assert SendOctets(f"\x062{rate}2\r\n".encode()) in seen[client]


def test_the_lines_are_those_of_the_standard() -> None:
    client = OpeningClient(parameters())
    client.start(NOW)
    assert events_of(client) == [SetLine(OPENING_MODE), SendOctets(SIGN_ON)]
    server = OpeningServer(parameters())
    server.receive_data(SIGN_ON, NOW)
    assert events_of(server) == [SetLine(OPENING_MODE), SendOctets(IDENTIFICATION)]
    client.receive_data(IDENTIFICATION, NOW)
    assert events_of(client) == [Identified("MPR", "MeterPurse"), SendOctets(CHOICE)]
    server.receive_data(CHOICE, NOW)
    assert events_of(server) == [SendOctets(CHOICE), hdlc_at(9600), Opened()]


LINES = {
    "sign-on": SIGN_ON,
    "identification": IDENTIFICATION,
    "without HDLC": b"/MPR5MeterPurse\r\n",
    "unknown rate": b"/MPRI\\2MeterPurse\r\n",
    "choice": CHOICE,
    "other mode": b"\x06050\r\n",
    "too fast": b"\x06262\r\n",
    "noise": b"\xffnoise/?\r\n",
}
CLIENT_MOVES = {
    (S.IDENTIFYING, "identification"): S.CONFIRMING,
    (S.IDENTIFYING, "without HDLC"): S.FAILED,
    (S.IDENTIFYING, "unknown rate"): S.FAILED,
    (S.CONFIRMING, "choice"): S.OPEN,
}
SERVER_MOVES = {
    (S.IDLE, "sign-on"): S.IDENTIFYING,
    (S.IDENTIFYING, "choice"): S.OPEN,
    (S.IDENTIFYING, "other mode"): S.IDLE,
    (S.IDENTIFYING, "too fast"): S.IDLE,
}


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("state", S, ids=lambda state: state.name)
def test_every_line_in_every_state_of_the_client(state: OpeningState, line: str) -> None:
    client = client_in(state)
    due = client.next_timeout()
    client.receive_data(LINES[line], NOW)
    assert client.state is CLIENT_MOVES.get((state, line), state)
    if (state, line) not in CLIENT_MOVES:
        assert (events_of(client), client.next_timeout()) == ([], due)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("state", [S.IDLE, S.IDENTIFYING, S.OPEN], ids=lambda state: state.name)
def test_every_line_in_every_state_of_the_server(state: OpeningState, line: str) -> None:
    server = server_in(state)
    server.receive_data(LINES[line], NOW)
    assert server.state is SERVER_MOVES.get((state, line), state)
    again = [SendOctets(IDENTIFICATION)] if (state, line) == (S.IDENTIFYING, "sign-on") else []
    if (state, line) not in SERVER_MOVES:
        assert events_of(server) == again


def test_a_client_signs_on_so_often_and_gives_up() -> None:
    client, signed_on = client_in(S.IDENTIFYING), 1
    while (due := client.next_timeout()) is not None:
        client.handle_timeout(due - seconds(0.001))
        assert events_of(client) == []
        client.handle_timeout(due)
        events = events_of(client)
        signed_on += events == [SendOctets(SIGN_ON)]
    assert (signed_on, events) == (3, [OpeningFailed(OpeningFailure.NO_ANSWER)])
    assert client.state is S.FAILED


def test_a_server_that_does_not_confirm_is_spoken_to_all_the_same() -> None:
    client = client_in(S.CONFIRMING)
    client.handle_timeout(NOW + seconds(1.5))
    assert events_of(client) == [hdlc_at(9600), Opened()]
    assert client.next_timeout() is None


def test_a_server_forgets_a_client_that_does_not_choose() -> None:
    server = server_in(S.IDENTIFYING)
    server.handle_timeout(NOW + seconds(2.5))
    server.receive_data(CHOICE, NOW)
    assert (server.state, events_of(server)) == (S.IDLE, [])


def test_a_meter_without_the_mark_of_hdlc_is_named_and_left() -> None:
    for line in ("without HDLC", "unknown rate"):
        client = client_in(S.IDENTIFYING)
        client.receive_data(LINES[line], NOW)
        assert events_of(client) == [Identified("MPR", "MeterPurse"), OpeningFailed(OpeningFailure.NOT_MODE_E)]


def test_an_opening_begins_once() -> None:
    with pytest.raises(LocalError):
        client_in(S.IDENTIFYING).start(NOW)


def test_an_optical_head_may_give_back_what_was_sent_and_leave_the_parity_bit() -> None:
    def with_parity(line: bytes) -> bytes:
        return bytes(octet | (octet.bit_count() & 1) << 7 for octet in line)

    client = client_in(S.IDENTIFYING)
    client.receive_data(with_parity(SIGN_ON + IDENTIFICATION), NOW)
    assert client.state is S.CONFIRMING
    client.receive_data(with_parity(CHOICE), NOW)
    assert client.state is S.OPEN


@pytest.mark.parametrize(
    ("asked", "own", "is_heard"),
    [("", "42", True), ("42", "42", True), ("0042", "42", True), ("43", "42", False), ("42", "", False)],
)
def test_a_server_hears_its_own_address_and_none(asked: str, own: str, is_heard: bool) -> None:
    server = OpeningServer(parameters(device_address=own))
    server.receive_data(f"/?{asked}!\r\n".encode(), NOW)
    assert (server.state is S.IDENTIFYING) is is_heard


@pytest.mark.parametrize(
    "changes",
    [
        {"fastest": "7"},
        {"fastest": ""},
        {"device_address": "a!b"},
        {"device_address": "0" * 33},
        {"manufacturer": "MP"},
        {"manufacturer": "MPÄ"},
        {"name": "Zähler"},
        {"name": "x" * 17},
        {"name": "a/b"},
        {"answer_s": 0},
        {"confirmation_s": 0},
        {"attempts": 0},
    ],
)
def test_what_cannot_be_said_cannot_be_made(changes) -> None:
    with pytest.raises(InvalidValueError):
        OpeningParameters(**changes)


@given(st.lists(st.binary(max_size=100), max_size=10))
def test_no_octets_make_either_role_raise_or_keep_more_than_a_line(pieces: list[bytes]) -> None:
    for engine in (client_in(S.IDENTIFYING), server_in(S.IDENTIFYING)):
        for piece in pieces:
            engine.receive_data(piece, NOW)
            assert len(engine._held) <= MAXIMUM_LINE_OCTETS


def first_fault(client_class) -> str:
    """What mutated identifications do to a client, "" when nothing."""
    for octets in mutations([SIGN_ON, IDENTIFICATION, CHOICE], count=3000):
        client = client_class(parameters())
        client.start(NOW)
        try:
            client.receive_data(b"\xff\x00" + octets + b"\r\n" + octets, NOW)
            client.handle_timeout(NOW + seconds(60))
        except Exception as error:  # noqa: BLE001 - any escape is what is searched for
            return type(error).__name__
        if len(client._held) > MAXIMUM_LINE_OCTETS:
            return "held too much"
    return ""


def test_no_mutation_of_a_line_makes_a_client_raise() -> None:
    assert first_fault(OpeningClient) == ""


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (r"rate not in BAUD_RATES or ", ""),
        (r"\.translate\(_WITHOUT_PARITY\)", ""),
        (r"self\._held = held\[-MAXIMUM_LINE_OCTETS:\]", "self._held = held"),
    ],
    ids=["any rate", "any octet", "any length"],
)
def test_the_mutations_find_a_seeded_bug(pattern: str, replacement: str) -> None:
    assert first_fault(seeded(mode_e, "OpeningClient", pattern, replacement)) != ""
