"""Associations with the services and limits a test wants, and the attributes, methods and requests it plays with."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor
from dlms_objects.wire import events as ev
from dlms_objects.wire import list_events as lev
from dlms_objects.wire.access import AccessAction, AccessGet, AccessSet
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.lists import AttributeWithSelection
from dlms_objects.wire.parameters import USUAL_CONFORMANCE
from tests.support.associations import GENERAL, MANAGEMENT, PUBLIC, REGISTER, TOP_UP, Pair, World

GBT = Conformance.GENERAL_BLOCK_TRANSFER
OWN_BLOCKS = (
    Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
)
EVERYTHING = USUAL_CONFORMANCE | GBT | GENERAL
WAYS = {
    "own blocks": USUAL_CONFORMANCE,
    "general blocks": USUAL_CONFORMANCE & ~OWN_BLOCKS | GBT,
    "both": USUAL_CONFORMANCE | GBT,
}
"""The ways a long value can take."""

ATTRIBUTES = tuple(AttributeDescriptor(1, LogicalName(bytes((0, 0, 96, 1, number, 255))), 2) for number in range(128))
METHODS = (TOP_UP, MethodDescriptor(20101, LogicalName.parse("0.0.128.0.0.255"), 2))
ITEMS = tuple(AttributeWithSelection(attribute=attribute) for attribute in ATTRIBUTES)


def octet_string(octets: int) -> bytes:
    """An octet-string of that many octets in all its A-XDR, 4 or more."""
    content = bytes(number * 7 & 0xFF for number in range(octets - 4))
    return b"\x09\x82" + len(content).to_bytes(2, "big") + content


def services_world(conformance: Conformance = EVERYTHING, **changes: Any) -> World:
    """A meter whose roles can all do exactly that, with clients that propose the same."""
    roles = {sap: replace(role, conformance=conformance) for sap, role in World().roles.items()}
    client = {"conformance": conformance} | changes.pop("client", {})
    return World(roles=roles, client=client, **changes)


def associated(
    conformance: Conformance = EVERYTHING,
    *,
    sap: int = PUBLIC,
    client_pdu: int = 65535,
    server_pdu: int = 65535,
    **server: Any,
) -> Pair:
    """An open association with those services and PDU sizes."""
    world = services_world(conformance, server={"max_pdu": server_pdu} | server)
    return world.associate(sap, max_pdu=client_pdu)


def mixed_access(value: bytes = b"\x11\x07", **changes: Any) -> lev.Access:
    """A write, a read of it, a method and a read of nothing."""
    specifications = (
        AccessSet(attribute=REGISTER),
        AccessGet(attribute=REGISTER),
        AccessAction(method=TOP_UP),
        AccessGet(attribute=ATTRIBUTES[0]),
    )
    return lev.Access(specifications, (value, b"\x00", value, b"\x00"), **changes)


def longest_frames(pair: Pair) -> tuple[int, int]:
    """The longest APDU that each side sent after the association was opened: the client's, the server's."""
    opening = 2 if pair.client._parameters.client_sap == MANAGEMENT else 1
    return max(map(_longest, pair.requests[opening:])), max(map(_longest, pair.answers[opening:]))


def _longest(frames: bytes) -> int:
    return max((len(frame) - 8 for frame in _cut(frames)), default=0)


def recorded_frames(conformance: Conformance, *, pdu: int = 64) -> tuple[list[bytes], list[bytes]]:
    """The frames of a client and of a server, one by one, that use every service with short and long values."""
    pair = associated(conformance, client_pdu=pdu, server_pdu=pdu)
    for value in (b"\x11\x07", octet_string(100)):
        pair.run(ev.Set(REGISTER, value))
        pair.run(ev.Get(REGISTER))
        pair.run(ev.Action(TOP_UP, value))
        pair.run(lev.SetList(ITEMS[:1], (value,)))
        pair.run(lev.GetList(ITEMS[:2]))
        pair.run(lev.ActionList(METHODS, (value, value)))
    if GBT in conformance:
        pair.run(mixed_access(octet_string(100)))
    return list(_cut(b"".join(pair.requests[1:]))), list(_cut(b"".join(pair.answers[1:])))


def _cut(frames: bytes) -> Iterator[bytes]:
    while frames:
        end = 8 + int.from_bytes(frames[6:8], "big")
        yield frames[:end]
        frames = frames[end:]
