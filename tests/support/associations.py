"""A client and a server association joined in memory: keys, roles, counters and the exchange of octets between them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from dlms_objects.errors import LocalError, RemoteError
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire import events as ev
from dlms_objects.wire import list_events as lev
from dlms_objects.wire.access import AccessAction, AccessResult, AccessService, AccessSet
from dlms_objects.wire.acse import Mechanism
from dlms_objects.wire.action import ActionResponseWithOptionalData
from dlms_objects.wire.apdu import decode_apdu
from dlms_objects.wire.cipher_keys import CipherKeys
from dlms_objects.wire.ciphered import GLO_TAGS
from dlms_objects.wire.client import ClientAssociation
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.counters import Counters, MemoryReceivedCounters, MemorySentCounters
from dlms_objects.wire.exception import ExceptionResponse
from dlms_objects.wire.get import GetRequestNormal
from dlms_objects.wire.parameters import ClientParameters, RoleParameters, ServerParameters
from dlms_objects.wire.policy import Protection, SecurityPolicy
from dlms_objects.wire.security import SecurityContext
from dlms_objects.wire.server import ServerAssociation
from dlms_objects.wire.states import ClientState, ServerState
from dlms_objects.wire.wrapper import encode_frame

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ENCRYPTION_KEY = bytes.fromhex("8d1c2b3a495867768594a3b2c1d0efae")
AUTHENTICATION_KEY = bytes.fromhex("5f4e3d2c1b0a99887766554433221101")
KEYS = CipherKeys(global_unicast_encryption_key=ENCRYPTION_KEY, authentication_key=AUTHENTICATION_KEY)
OTHER_KEYS = CipherKeys(global_unicast_encryption_key=bytes(range(100, 116)), authentication_key=AUTHENTICATION_KEY)
READER_KEYS = CipherKeys(global_unicast_encryption_key=bytes(range(50, 66)), authentication_key=AUTHENTICATION_KEY)
METER = SystemTitle(b"MPR\x00\x00\x00\x00\x01")
GATEWAY = SystemTitle(b"MPG\x00\x00\x00\x00\x02")
STRANGER = SystemTitle(b"XXX\x00\x00\x00\x00\x03")
SERVER_SAP, PUBLIC, READER, MANAGEMENT, RESIDENT = 1, 16, 2, 1, 3
PASSWORD = b"a password"

REGISTER = AttributeDescriptor(3, LogicalName.parse("1.0.1.8.0.255"), 2)
JOURNAL = AttributeDescriptor(7, LogicalName.parse("0.0.99.128.0.255"), 2)
VALUE = b"\x06\x00\x01\xe2\x40"
GET = GetRequestNormal(attribute=REGISTER).encode()
ROLES = [PUBLIC, READER, MANAGEMENT, RESIDENT]
LATER = NOW + timedelta(hours=1)
TOP_UP = MethodDescriptor(20101, LogicalName.parse("0.0.128.0.0.255"), 1)
AE = SecurityPolicy.AUTHENTICATED_ENCRYPTED
POLICIES = [SecurityPolicy(request=request, response=response) for request in Protection for response in Protection]
GENERAL = Conformance.GENERAL_PROTECTION


def challenges(start: int = 1, octets: int = 16) -> Callable[[], bytes]:
    """A challenge source that counts, so that tests are repeatable and never repeat a challenge."""
    numbers = count(start)
    return lambda: next(numbers).to_bytes(octets, "big")


def counters(first: int = 0) -> Counters:
    """Fresh counters in memory; the first one sent is `first`."""
    return Counters(sent=MemorySentCounters(first), received=MemoryReceivedCounters())


@dataclass
class World:
    """One meter and what its clients share: it outlives connections, as the stores do."""

    roles: dict[int, RoleParameters] = field(default_factory=dict)
    meter_counters: dict[int, Counters] = field(default_factory=dict)
    client_counters: dict[int, Counters] = field(default_factory=dict)
    server: dict[str, Any] = field(default_factory=dict)
    client: dict[str, Any] = field(default_factory=dict)
    general: bool = False

    def __post_init__(self) -> None:
        """The roles of the object model."""
        conformance = RoleParameters(name="").conformance | GENERAL
        hls: dict[str, Any] = {"mechanism": Mechanism.HLS_GMAC, "policy": AE, "keys": KEYS, "conformance": conformance}
        self.roles = {
            PUBLIC: RoleParameters(name="public"),
            READER: RoleParameters(name="reader", **hls | {"keys": READER_KEYS}),
            MANAGEMENT: RoleParameters(name="management", **hls),
            RESIDENT: RoleParameters(name="resident", mechanism=Mechanism.LLS, password=PASSWORD),
        } | self.roles
        self.client_challenges = challenges()
        self.meter_counters = {sap: counters(1000) for sap in self.roles} | self.meter_counters
        self.client_counters = {sap: counters() for sap in self.roles} | self.client_counters
        self.server_parameters = ServerParameters(
            server_sap=SERVER_SAP,
            system_title=METER,
            roles=self.roles,
            counters=self.meter_counters.__getitem__,
            **{"challenge_source": challenges(1 << 100)} | self.server,
        )
        self.client_parameters = self.parameters_for(MANAGEMENT)

    def parameters_for(self, sap: int, **changes: Any) -> ClientParameters:
        """What a rightful client of that role uses."""
        role = self.roles[sap]
        values: dict[str, Any] = {
            "client_sap": sap,
            "server_sap": SERVER_SAP,
            "mechanism": role.mechanism,
            "legacy_mechanism": role.legacy_mechanism,
            "password": role.password,
            "hls_secret": role.hls_secret,
            "system_title": GATEWAY if role.mechanism is Mechanism.HLS_SHA256 else None,
            "challenge_source": self.client_challenges,
        }
        if role.keys is not None:
            values["security"] = self.security(sap, keys=role.keys, policy=role.policy)
        if self.general:
            values["conformance"] = RoleParameters(name="").conformance | GENERAL
        return ClientParameters(**values | self.client | changes)

    def security(self, sap: int = MANAGEMENT, **changes: Any) -> SecurityContext:
        """The gateway's security context for that role."""
        values: dict[str, Any] = {
            "keys": KEYS,
            "own_title": GATEWAY,
            "counters": self.client_counters[sap],
            "policy": AE,
        }
        return SecurityContext(**values | changes)

    def connect(self, sap: int = MANAGEMENT, **changes: Any) -> "Pair":
        """A new connection of a rightful client, changed as told; nothing is sent yet."""
        return Pair(
            ClientAssociation(self.parameters_for(sap, **changes)), ServerAssociation(self.server_parameters, NOW)
        )

    def associate(self, sap: int = MANAGEMENT, **changes: Any) -> "Pair":
        """An open association."""
        pair = self.connect(sap, **changes)
        results = pair.run(ev.Associate())
        assert isinstance(results[-1], ev.Associated), results
        return pair

    def received(self, sap: int = MANAGEMENT, title: SystemTitle = GATEWAY) -> int | None:
        """The highest counter that the meter stored for the client."""
        return self.meter_counters[sap].received.highest(title)


def whole(octets: bytes) -> Iterator[bytes]:
    """One piece."""
    yield octets


def byte_by_byte(octets: bytes) -> Iterator[bytes]:
    """One octet at a time."""
    for offset in range(len(octets)):
        yield octets[offset : offset + 1]


def answer_of(request: Any, values: dict[Any, Any]) -> ev.Answer:
    """The application of the tests: a table of raw values by attribute, everything may be written and invoked."""
    if isinstance(request, ev.GetRequested):
        return ev.GetAnswer(values.get(request.attribute, DataAccessResult.OBJECT_UNDEFINED))
    if isinstance(request, ev.SetRequested):
        values[request.attribute] = request.value
        return ev.SetAnswer(DataAccessResult.SUCCESS)
    if isinstance(request, ev.ActionRequested):
        return ev.ActionAnswer(ActionResult.SUCCESS, request.parameters)
    return list_answer_of(request, values)


def list_answer_of(request: Any, values: dict[Any, Any]) -> ev.Answer:
    """The same element by element."""
    if isinstance(request, lev.GetListRequested):
        found = [values.get(item.attribute, DataAccessResult.OBJECT_UNDEFINED) for item in request.attributes]
        return lev.GetListAnswer(tuple(found))
    if isinstance(request, lev.SetListRequested):
        values |= {item.attribute: value for item, value in zip(request.attributes, request.values, strict=True)}
        return lev.SetListAnswer((DataAccessResult.SUCCESS,) * len(request.values))
    if isinstance(request, lev.ActionListRequested):
        success = ActionResult.SUCCESS
        responses = [ActionResponseWithOptionalData(result=success, value=value) for value in request.parameters]
        return lev.ActionListAnswer(tuple(responses))
    answers = [_access(*pair, values) for pair in zip(request.specifications, request.values, strict=True)]
    return lev.AccessAnswer(tuple(value for value, _ in answers), tuple(result for _, result in answers))


def _access(specification: Any, value: bytes, values: dict[Any, Any]) -> tuple[bytes, AccessResult]:
    success = DataAccessResult.SUCCESS
    if isinstance(specification, AccessAction):
        return value, AccessResult(service=AccessService.ACTION, result=ActionResult.SUCCESS)
    if isinstance(specification, AccessSet):
        values[specification.attribute] = value
        return b"\x00", AccessResult(service=AccessService.SET, result=success)
    found = values.get(specification.attribute)
    result = DataAccessResult.OBJECT_UNDEFINED if found is None else success
    return found or b"\x00", AccessResult(service=AccessService.GET, result=result)


@dataclass
class Pair:
    """A client and a server and the line between them; every frame that went over it is kept."""

    client: ClientAssociation
    server: ServerAssociation
    values: dict[Any, Any] = field(default_factory=lambda: {REGISTER: VALUE})
    cut: Callable[[bytes], Iterator[bytes]] = whole
    requests: list[bytes] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    server_events: list[Any] = field(default_factory=list)
    now: datetime = NOW

    def serve(self, octets: bytes) -> bytes:
        """What the server answers to those octets; its other events are kept."""
        self.requests.append(octets)
        sent = []
        for piece in self.cut(octets):
            self.server.receive_data(piece, self.now)
            while (event := self.server.next_event()) is not None:
                if isinstance(event, ev.SendOctets):
                    sent.append(event.octets)
                    continue
                self.server_events.append(event)
                if isinstance(event, ev.GetRequested | ev.SetRequested | ev.ActionRequested | lev.ListRequested):
                    sent.append(self.server.send(answer_of(event, self.values)))
        self.answers.append(b"".join(sent))
        return self.answers[-1]

    def run(self, command: ev.ClientCommand) -> list[Any]:
        """Send the command and exchange octets until the client wants nothing more; its events without SendOctets."""
        results: list[Any] = []
        outgoing = [self.client.send(command, self.now)]
        while outgoing:
            for piece in self.cut(self.serve(outgoing.pop(0))):
                self.client.receive_data(piece, self.now)
            while (event := self.client.next_event()) is not None:
                if isinstance(event, ev.SendOctets):
                    outgoing.append(event.octets)
                else:
                    results.append(event)
        return results

    def events_of(self, kind: type) -> list[Any]:
        """The server's events of one kind."""
        return [event for event in self.server_events if isinstance(event, kind)]


def frame(apdu: bytes, client_sap: int = MANAGEMENT, server_sap: int = SERVER_SAP) -> bytes:
    """A frame from a client to the server."""
    return encode_frame(client_sap, server_sap, apdu)


def sealed(pair: Pair, plain: bytes, tag: int | None = None) -> bytes:
    """A frame that the pair's rightful client would have sent."""
    security = pair.client._parameters.security
    assert security is not None
    return frame(security.protect(GLO_TAGS[plain[0]] if tag is None else tag, plain))


def exception_in(octets: bytes) -> ExceptionResponse:
    """The exception-response that a frame holds."""
    apdu = decode_apdu(octets[8:])
    assert isinstance(apdu, ExceptionResponse)
    return apdu


def assert_refused(pair: Pair, cause: ev.RefusalCause) -> None:
    """The server refused for that cause, closed, and says no more."""
    assert pair.events_of(ev.AssociationRefusedEvent)[-1].cause is cause
    assert isinstance(pair.server_events[-1], ev.CloseConnection)
    assert pair.server.state is ServerState.CLOSED
    assert pair.serve(frame(GET, PUBLIC)) == b""


def answer(apdu: bytes, sap: int = PUBLIC, server_sap: int = SERVER_SAP) -> bytes:
    """A frame from the server."""
    return encode_frame(server_sap, sap, apdu)


def meter(world: World, **changes: Any) -> SecurityContext:
    """The meter's context towards the gateway, counting far above the server's."""
    values: dict[str, Any] = {"keys": KEYS, "own_title": METER, "counters": counters(90_000), "is_server": True}
    return SecurityContext(**values | changes)


def events_after(client: ClientAssociation, octets: bytes) -> list[Any]:
    """What the client makes of the octets."""
    client.receive_data(octets, NOW)
    found = []
    while (event := client.next_event()) is not None:
        found.append(event)
    return found


def assert_closed(client: ClientAssociation) -> None:
    """The client takes nothing and sends nothing any more."""
    assert client.state is ClientState.CLOSED
    assert client.next_timeout() is None
    with pytest.raises(RemoteError):
        client.receive_data(b"\x00", NOW)
    for command in (ev.Associate(), ev.Get(REGISTER), ev.Release()):
        with pytest.raises(LocalError):
            client.send(command, NOW)


def at(server: ServerAssociation, now: datetime) -> list[Any]:
    """What a server makes of the time."""
    server.handle_timeout(now)
    found = []
    while (event := server.next_event()) is not None:
        found.append(event)
    return found


def bit_flips(octets: bytes) -> Iterator[bytes]:
    """The octets with each single bit changed in turn."""
    for bit in range(len(octets) * 8):
        changed = bytearray(octets)
        changed[bit >> 3] ^= 1 << (bit & 7)
        yield bytes(changed)
