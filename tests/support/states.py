"""Both association engines brought into each of their states, and frames that are each of their inputs."""

from typing import Any

import pytest

from dlms_objects.errors import RemoteError
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire import events as ev
from dlms_objects.wire.access import AccessResponse, AccessResult, AccessService
from dlms_objects.wire.action import ActionRequestNormal
from dlms_objects.wire.challenge import REPLY_TO_HLS
from dlms_objects.wire.general_block import GeneralBlockTransfer
from dlms_objects.wire.get import GetRequestNext, GetRequestNormal
from dlms_objects.wire.notification import DataNotification
from dlms_objects.wire.set_blocks import SetRequestWithDatablock, SetRequestWithFirstDatablock
from dlms_objects.wire.states import (
    ClientInput,
    ClientState,
    ServerInput,
    ServerState,
)
from tests.support.associations import (
    GET,
    JOURNAL,
    MANAGEMENT,
    NOW,
    OTHER_KEYS,
    PUBLIC,
    TOP_UP,
    Pair,
    World,
    answer,
    frame,
    meter,
    sealed,
)
from tests.support.services import mixed_access, services_world

LONG_GET = GetRequestNormal(attribute=JOURNAL).encode()


def set_block(type_: int, *, number: int | None = None, last: bool = False) -> bytes:
    """The first block of a SET (type 1), or a further one (type 2)."""
    block: dict[str, Any] = {"block_number": number or type_, "raw": b"\x11\x01", "last": last}
    if type_ == 1:
        return SetRequestWithFirstDatablock(attribute=JOURNAL, **block).encode()
    return SetRequestWithDatablock(**block).encode()


def general_block(number: int, block: bytes, **changes: Any) -> bytes:
    """A general block; by default not the last, and the peer's turn follows."""
    values: dict[str, Any] = {"last": False, "block_number": number, "block": block}
    return GeneralBlockTransfer(**values | changes).encode()


def server_in(state: ServerState) -> Pair:
    """A management client's connection whose server is in that state."""
    pair = services_world().connect(MANAGEMENT, max_pdu=64)
    pair.values[JOURNAL] = bytes(500)
    if state is ServerState.IDLE:
        return pair
    if state is ServerState.HLS_PENDING:
        pair.serve(pair.client.send(ev.Associate(), NOW))
    else:
        pair.run(ev.Associate())
    if state is ServerState.BUSY:
        drained(pair, sealed(pair, GET))
    elif state is ServerState.SENDING_BLOCKS:
        pair.serve(sealed(pair, LONG_GET))
    elif state is ServerState.RECEIVING_BLOCKS:
        pair.serve(sealed(pair, set_block(1)))
    elif state is ServerState.SENDING_GENERAL:
        pair.serve(frame(general_block(1, sealed(pair, LONG_GET)[8:], last=True)))
    elif state is ServerState.RECEIVING_GENERAL:
        pair.serve(frame(general_block(1, sealed(pair, LONG_GET)[8:20])))
    elif state is ServerState.CLOSED:
        pair.serve(b"\xff" * 8)
    assert pair.server.state is state
    return pair


def from_client(pair: Pair, input_: ServerInput) -> bytes:
    """A frame that is that input to a server with an association."""
    return {
        ServerInput.AARQ: lambda: World().connect().client.send(ev.Associate(), NOW),
        ServerInput.RLRQ: lambda: frame(b"\x62\x00"),
        ServerInput.REPLY_TO_HLS: lambda: sealed(pair, ActionRequestNormal(method=REPLY_TO_HLS).encode()),
        ServerInput.REQUEST: lambda: sealed(pair, GET),
        ServerInput.NEXT_BLOCK: lambda: sealed(pair, GetRequestNext(block_number=1).encode()),
        ServerInput.FIRST_BLOCK: lambda: sealed(pair, set_block(1)),
        ServerInput.FURTHER_BLOCK: lambda: sealed(pair, set_block(2)),
        ServerInput.GENERAL_BLOCK: lambda: frame(general_block(1, sealed(pair, LONG_GET)[8:20])),
        ServerInput.UNKNOWN_SERVICE: lambda: sealed(pair, b"\xd9", 0xDB),
        ServerInput.UNPROTECTED: lambda: frame(GET),
        ServerInput.UNTRUSTED: lambda: frame(World().security(keys=OTHER_KEYS).protect(0xC8, GET)),
        ServerInput.MISDIRECTED: lambda: frame(sealed(pair, GET)[8:], PUBLIC),
        ServerInput.CORRUPT: lambda: b"\xff" * 8,
    }[input_]()


def drained(pair: Pair, octets: bytes) -> int:
    """How many events the server makes of the octets; the application stays silent."""
    pair.server.receive_data(octets, NOW)
    return sum(1 for _ in iter(pair.server.next_event, None))


ACCESS_RESPONSE = AccessResponse(
    values=(b"\x00",) * 4,
    results=(
        AccessResult(service=AccessService.SET, result=DataAccessResult.SUCCESS),
        AccessResult(service=AccessService.GET, result=DataAccessResult.SUCCESS),
        AccessResult(service=AccessService.ACTION, result=ActionResult.SUCCESS),
        AccessResult(service=AccessService.GET, result=DataAccessResult.OBJECT_UNDEFINED),
    ),
    long_invoke_id_and_priority=2,
).encode()
REQUESTS: dict[ClientState, ev.ClientCommand] = {
    ClientState.GETTING: ev.Get(JOURNAL),
    ClientState.SETTING: ev.Set(JOURNAL, b"\x11\x01"),
    ClientState.ACTING: ev.Action(TOP_UP),
    ClientState.ACCESSING: mixed_access(),
    ClientState.RELEASING: ev.Release(),
}


def client_in(state: ClientState) -> Pair:
    """A management client in that state; the server has answered everything but the last request."""
    pair = services_world().connect(MANAGEMENT)
    if state is ClientState.IDLE:
        return pair
    if state in (ClientState.ASSOCIATING, ClientState.HLS_PENDING):
        aarq = pair.client.send(ev.Associate(), NOW)
        if state is ClientState.HLS_PENDING:
            pair.client.receive_data(pair.serve(aarq), NOW)
    elif state is ClientState.CLOSED:
        with pytest.raises(RemoteError):
            pair.client.receive_data(b"\xff" * 8, NOW)
    else:
        pair.run(ev.Associate())
        if state in REQUESTS:
            pair.client.send(REQUESTS[state], NOW)
    assert pair.client.state is state
    return pair


def from_server(input_: ClientInput) -> bytes:
    """A frame that is that input to a client with an association."""
    meter_ = meter(World())
    plain = {
        ClientInput.AARE: b"\x61\x00",
        ClientInput.RLRE: b"\x63\x00",
        ClientInput.EXCEPTION_RESPONSE: b"\xd8\x01\x01",
        ClientInput.GENERAL_BLOCK: general_block(1, b"\xdb", window=5),
        ClientInput.UNPROTECTED: b"\xc4\x01\xc2\x00\x11\x01",
        ClientInput.UNTRUSTED: meter(World(), keys=OTHER_KEYS).protect(0xCC, b"\xc4\x01\xc2\x00\x11\x01"),
    }
    inside = {
        ClientInput.GET_RESPONSE: b"\xc4\x01\xc2\x00\x11\x01",
        ClientInput.SET_RESPONSE: b"\xc5\x01\xc2\x00",
        ClientInput.ACTION_RESPONSE: b"\xc7\x01\xc2\x00\x00",
        ClientInput.ACCESS_RESPONSE: ACCESS_RESPONSE,
        ClientInput.NOTIFICATION: DataNotification(body=b"\x11\x01").encode(),
        ClientInput.UNKNOWN_SERVICE: b"\x0e\x01\x06\x01",
        ClientInput.MISDIRECTED: b"\xc4\x01\xc2\x00\x11\x01",
    }
    apdu = plain[input_] if input_ in plain else meter_.protect(0xDB, inside[input_])
    return answer(apdu, MANAGEMENT, 7 if input_ is ClientInput.MISDIRECTED else 1)
