"""General block transfer: any APDU both ways in any window, lost blocks sent again, and nothing runs for ever."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlms_objects.errors import LocalError, RemoteError
from dlms_objects.wire.general_block import GeneralBlockTransfer, decode_general_block_transfer
from dlms_objects.wire.general_transfer import (
    LAST_NUMBER,
    MAXIMUM_STALLS,
    GeneralTransfer,
    general_limit,
    stream,
)

Lose = Callable[[bytes], bool]


def transfer(*, client: bool, **changes: Any) -> GeneralTransfer:
    values: dict[str, Any] = {"pdu_octets": 64, "window": 4, "limit_octets": 100_000, "expects_response": client}
    return GeneralTransfer(**values | changes)


def block(number: int, octets: bytes = b"", **changes: Any) -> GeneralBlockTransfer:
    values: dict[str, Any] = {"last": False, "block_number": number, "block": octets}
    return GeneralBlockTransfer(**values | changes)


def deliver(receiver: GeneralTransfer, apdus: Iterable[bytes], lose: Lose = lambda _apdu: False) -> bytes | None:
    """What the receiver has whole after those APDUs, of which some are lost."""
    whole = None
    for apdu in apdus:
        if not lose(apdu):
            taken = receiver.receive(decode_general_block_transfer(apdu))
            whole = whole if taken is None else taken
    return whole


def exchange(
    client: GeneralTransfer, server: GeneralTransfer, request: bytes, response: bytes, lose: Lose = lambda _apdu: False
) -> tuple[bytes | None, bytes | None, int]:
    """What each side received, and how often the turn changed."""
    client.load(request)
    received_request = received_response = None
    for turns in range(1, 10_000):
        received_request = deliver(server, client.outgoing(), lose) or received_request
        if received_request is not None and not server.is_loaded:
            server.load(response)
        received_response = deliver(client, server.outgoing(), lose)
        if received_response is not None:
            return received_request, received_response, turns
    raise AssertionError("the exchange does not end")


@settings(max_examples=60, deadline=None)
@given(
    request=st.binary(min_size=1, max_size=900),
    response=st.binary(min_size=1, max_size=900),
    windows=st.tuples(st.integers(1, 63), st.integers(1, 63)),
    pdus=st.tuples(st.integers(64, 300), st.integers(64, 300)),
)
def test_what_is_sent_arrives_whatever_the_sizes_and_windows(
    request: bytes, response: bytes, windows: tuple[int, int], pdus: tuple[int, int]
) -> None:
    client = transfer(client=True, window=windows[0], pdu_octets=pdus[0])
    server = transfer(client=False, window=windows[1], pdu_octets=pdus[1])
    assert exchange(client, server, request, response)[:2] == (request, response)


@settings(max_examples=60, deadline=None)
@given(lost=st.sets(st.integers(1, 40), max_size=3), windows=st.tuples(st.integers(2, 9), st.integers(2, 9)))
def test_a_block_lost_inside_a_window_is_sent_again(lost: set[int], windows: tuple[int, int]) -> None:
    seen: set[tuple[int, bytes]] = set()

    def lose(apdu: bytes) -> bool:
        sent = decode_general_block_transfer(apdu)
        again = (sent.block_number, sent.block) in seen
        seen.add((sent.block_number, sent.block))
        return sent.streaming and sent.block_number in lost and not again

    request, response = bytes(range(256)) * 6, bytes(range(255, -1, -1)) * 6
    client, server = transfer(client=True, window=windows[0]), transfer(client=False, window=windows[1])
    assert exchange(client, server, request, response, lose)[:2] == (request, response)


def test_the_test_of_lost_blocks_sees_a_sender_that_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GeneralTransfer, "_acknowledge", lambda _self, _number: True)
    lost = iter([False, True])
    client, server = transfer(client=True), transfer(client=False)
    with pytest.raises((AssertionError, RemoteError)):
        exchange(client, server, bytes(900), bytes(900), lambda apdu: apdu[1] & 0x40 > 0 and next(lost, False))


def test_a_wider_window_takes_fewer_turns() -> None:
    turns = [
        exchange(transfer(client=True, window=window), transfer(client=False, window=window), b"\x01", bytes(3000))[2]
        for window in (1, 4, 16, 63)
    ]
    assert turns == [53, 14, 4, 1]


def test_no_block_is_longer_than_the_peer_takes_and_all_but_the_last_fill_it() -> None:
    for pdu_octets in (64, 133, 134, 135, 136, 140, 262, 263, 264, 300):
        sender = transfer(client=False, pdu_octets=pdu_octets)
        sender.receive(block(1, b"\xc0", last=True, window=63))
        sender.load(bytes(1000))
        sizes = [len(apdu) for apdu in sender.outgoing()]
        assert max(sizes) <= pdu_octets
        assert set(sizes[:-1]) <= {pdu_octets} | ({pdu_octets - 1} if pdu_octets in (135, 264) else set())


def test_a_block_says_what_it_is() -> None:
    server = transfer(client=False)
    assert server.receive(block(1, b"ab", window=2)) is None
    acknowledgement = block(1, window=4, block_number_ack=1)
    assert [decode_general_block_transfer(apdu) for apdu in server.outgoing()] == [acknowledgement]
    assert server.outgoing() == []
    assert server.receive(block(2, b"c", last=True, window=2)) == b"abc"
    assert not server.is_loaded
    server.load(bytes(150))
    first, second = map(decode_general_block_transfer, server.outgoing())
    assert (first.block_number, first.streaming, first.last, first.block_number_ack) == (2, True, False, 2)
    assert (second.block_number, second.streaming, second.last, second.window) == (3, False, False, 4)
    assert server.receive(block(3, last=True, block_number_ack=3)) is None
    (third,) = map(decode_general_block_transfer, server.outgoing())
    assert (third.block_number, third.streaming, third.last, len(third.block)) == (4, False, True, 36)
    server.receive(block(4, last=True, block_number_ack=4))
    assert server.outgoing() == []


def test_a_client_acknowledges_with_its_own_last_block_long_sent() -> None:
    client = transfer(client=True)
    client.receive(block(1, b"ab"))
    (acknowledgement,) = map(decode_general_block_transfer, client.outgoing())
    assert acknowledgement == block(1, last=True, window=4, block_number_ack=1)


def test_nothing_is_answered_before_a_stream_pauses() -> None:
    client = transfer(client=True)
    client.receive(block(1, b"ab", streaming=True))
    assert client.outgoing() == []
    client.receive(block(2, b"ab"))
    assert len(client.outgoing()) == 1
    assert client.received == 2


def test_a_repeated_block_is_taken_once() -> None:
    server = transfer(client=False)
    server.receive(block(1, b"ab", streaming=True))
    server.receive(block(1, b"ab", streaming=True))
    assert server.receive(block(2, b"c", last=True)) == b"abc"
    assert server.receive(block(2, b"c", last=True)) is None


def test_a_stale_acknowledgement_and_one_of_nothing_send_nothing_again() -> None:
    client = transfer(client=True)
    client.load(bytes(300))
    client.outgoing()
    client.receive(block(1, window=2, block_number_ack=1))
    assert len(client.outgoing()) == 2
    client.receive(block(2, streaming=True, window=2, block_number_ack=3))
    client.receive(block(3, window=2, block_number_ack=2))
    assert [decode_general_block_transfer(apdu).block_number for apdu in client.outgoing()] == [4, 5]
    client.receive(block(1, b"pushed", last=True))
    assert client.outgoing() == []


@pytest.mark.parametrize("number", [2, 9, LAST_NUMBER])
def test_an_acknowledgement_of_what_was_never_sent_is_refused(number: int) -> None:
    client = transfer(client=True)
    client.load(bytes(300))
    client.outgoing()
    with pytest.raises(RemoteError):
        client.receive(block(1, block_number_ack=number))


def test_an_acknowledgement_means_nothing_to_a_side_that_sends_nothing() -> None:
    client = transfer(client=True)
    assert client.receive(block(1, b"pushed", last=True, block_number_ack=LAST_NUMBER)) == b"pushed"


def test_a_peer_that_never_moves_on_is_given_up() -> None:
    client = transfer(client=True)
    client.receive(block(1, b"ab"))
    for _ in range(MAXIMUM_STALLS):
        client.receive(block(3, b"ab"))
        (acknowledgement,) = map(decode_general_block_transfer, client.outgoing())
        assert acknowledgement.block_number_ack == 1
    with pytest.raises(RemoteError):
        client.receive(block(3, b"ab"))


def test_an_apdu_over_the_limit_is_refused_as_soon_as_it_is_known() -> None:
    server = transfer(client=False, limit_octets=3)
    server.receive(block(1, b"ab"))
    with pytest.raises(RemoteError):
        server.receive(block(2, b"cd"))


def test_empty_blocks_without_end_run_out_of_numbers() -> None:
    server = transfer(client=False)
    for number in range(1, LAST_NUMBER + 1):
        server.receive(block(number))
        assert server.outgoing()
    server.receive(block(LAST_NUMBER))
    with pytest.raises(RemoteError):
        server.outgoing()


def test_what_was_whole_and_not_awaited_makes_room_for_what_is() -> None:
    client = transfer(client=True, limit_octets=6)
    assert client.receive(block(1, b"pushed", last=True)) == b"pushed"
    client.await_apdu()
    assert client.receive(block(1, b"answer", last=True)) == b"answer"


def test_a_stream_is_whole_at_once_and_waits_for_nobody() -> None:
    receiver = transfer(client=True)
    pieces = stream(bytes(range(200)), 64)
    assert max(map(len, pieces)) == 64
    assert deliver(receiver, pieces) == bytes(range(200))
    flags = [(piece.streaming, piece.last) for piece in map(decode_general_block_transfer, pieces)]
    assert flags == [(True, False)] * (len(pieces) - 1) + [(False, True)]


def test_an_apdu_longer_than_the_block_numbers_go_is_our_own_mistake() -> None:
    longest = general_limit(64)
    assert len(stream(bytes(longest), 64)) == LAST_NUMBER - 255
    with pytest.raises(LocalError):
        stream(bytes(longest + 1), 64)
    with pytest.raises(LocalError):
        transfer(client=True).load(bytes(longest + 1))
