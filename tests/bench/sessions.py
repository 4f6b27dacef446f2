"""One session by direct hand-off of frames: AARQ, HLS 5 GMAC, a register, 100 journal rows decoded, release.

Every client speaks with the same server, ours, which answers from the same prepared octets, so that each reads the
same values; what the server costs is taken off a client's time. Cell values stay as they travel (a date-time is its 12
octets) for all: that is what gurux-dlms gives without knowing the columns.
"""

import secrets
from collections.abc import Callable
from time import process_time_ns
from typing import Any

from gurux_dlms.objects import GXDLMSProfileGeneric, GXDLMSRegister

from dlms_objects.transport.credentials import MeterCredentials
from dlms_objects.wire import axdr, events
from dlms_objects.wire.acse import Mechanism
from dlms_objects.wire.challenge import RecentChallenges
from dlms_objects.wire.client import ClientAssociation
from dlms_objects.wire.counters import CounterBlocks, Counters, MemoryReceivedCounters, next_block
from dlms_objects.wire.parameters import ClientParameters, RoleParameters, ServerParameters
from dlms_objects.wire.row_plan import RowPlan
from dlms_objects.wire.security import SecurityContext
from dlms_objects.wire.server import ServerAssociation
from tests.bench import lean
from tests.bench.journal import journal_page, journal_rows
from tests.bench.rounds import Case
from tests.support.associations import (
    AE,
    AUTHENTICATION_KEY,
    ENCRYPTION_KEY,
    JOURNAL,
    KEYS,
    MANAGEMENT,
    METER,
    NOW,
    REGISTER,
    SERVER_SAP,
)
from tests.support.gurux_cipher import openssl
from tests.support.gurux_client import GuruxClient

Serve = Callable[[bytes], bytes]
Read = tuple[int, list[tuple[Any, ...]]]
"""What a session reads: the register and the rows."""

ROWS = journal_rows(100)
PAGE = journal_page(ROWS)
VALUE = 123_456
RAW_VALUE = b"\x06" + VALUE.to_bytes(4, "big")
PLAN = RowPlan.from_row(ROWS[0])
CREDENTIALS = MeterCredentials(
    system_title=METER,
    client_sap=MANAGEMENT,
    server_sap=SERVER_SAP,
    encryption_key=ENCRYPTION_KEY,
    authentication_key=AUTHENTICATION_KEY,
)
COUNTERS_PER_SESSION = 16
ANSWERS = {REGISTER: events.GetAnswer(RAW_VALUE), JOURNAL: events.GetAnswer(PAGE)}


def challenge() -> bytes:
    """16 random octets."""
    return secrets.token_bytes(16)


def memory_counters() -> Counters:
    """Counters as a product keeps them, in blocks, but for the disk."""
    ceiling = 1

    def reserve(count: int) -> range:
        nonlocal ceiling
        block = next_block(ceiling, count)
        ceiling = block.stop
        return block

    return Counters(sent=CounterBlocks(reserve), received=MemoryReceivedCounters())


class OurMeter:
    """Our server engine with prepared answers: one meter, a new engine for each connection."""

    def __init__(self) -> None:
        """One role, new counters."""
        counters = memory_counters()
        role = RoleParameters(name="management", mechanism=Mechanism.HLS_GMAC, policy=AE, keys=KEYS)
        self._parameters = ServerParameters(
            server_sap=SERVER_SAP,
            system_title=METER,
            roles={MANAGEMENT: role},
            counters=lambda _sap: counters,
            challenge_source=challenge,
        )

    def connection(self) -> Serve:
        """What answers the frames of one connection."""
        engine = ServerAssociation(self._parameters, NOW)

        def serve(frame: bytes) -> bytes:
            engine.receive_data(frame, NOW)
            sent = b""
            while (event := engine.next_event()) is not None:
                if type(event) is events.SendOctets:
                    sent += event.octets
                elif type(event) is events.GetRequested:
                    sent += engine.send(ANSWERS[event.attribute])
            return sent

        return serve


class LeanMeter:
    """The lean server, one for all connections."""

    def __init__(self) -> None:
        """Counters go on from session to session."""
        keys = lean.Keys(ENCRYPTION_KEY, AUTHENTICATION_KEY, METER.octets)
        objects = {(3, REGISTER.logical_name.octets, 2): RAW_VALUE, (7, JOURNAL.logical_name.octets, 2): PAGE}
        self._server = lean.Server(keys, objects)

    def connection(self) -> Serve:
        """What answers the frames of one connection."""
        return self._server


class OurClient:
    """Our client engine and row plan."""

    def __init__(self, title: bytes) -> None:
        """A client system with its own counters."""
        counters = memory_counters()
        self.parameters = ClientParameters(
            client_sap=MANAGEMENT,
            server_sap=SERVER_SAP,
            mechanism=Mechanism.HLS_GMAC,
            security=SecurityContext(keys=KEYS, own_title=type(METER)(title), counters=counters, policy=AE),
            challenge_source=challenge,
            recent_challenges=RecentChallenges(),
        )

    def session(self, serve: Serve) -> Read:
        """The whole session."""
        engine = ClientAssociation(self.parameters)

        def run(command: events.ClientCommand) -> Any:
            octets = engine.send(command, NOW)
            while True:
                engine.receive_data(serve(octets), NOW)
                event = engine.next_event()
                if type(event) is not events.SendOctets:
                    return event
                octets = event.octets

        run(events.Associate())
        value = axdr.decode(run(events.Get(REGISTER)).raw).value
        rows = PLAN.decode(run(events.Get(JOURNAL)).raw)
        run(events.Release())
        return value, rows


class LeanClient:
    """The limit in Python."""

    def __init__(self, title: bytes) -> None:
        """A client system with its own counter."""
        self._title = title
        self._counter = 1

    def session(self, serve: Serve) -> Read:
        """The whole session."""
        keys = lean.Keys(ENCRYPTION_KEY, AUTHENTICATION_KEY, self._title, self._counter)
        self._counter += COUNTERS_PER_SESSION
        client = lean.Client(keys, MANAGEMENT, SERVER_SAP)
        return lean.run(client, serve, REGISTER.logical_name.octets, JOURNAL.logical_name.octets)


class Gurux:
    """The gurux-dlms client as shipped."""

    def __init__(self, title: bytes) -> None:
        """A client system with its own counter."""
        self._title = title
        self._counter = 1

    def session(self, serve: Serve) -> Read:
        """The whole session."""
        peer = GuruxClient(serve, CREDENTIALS, system_title=self._title, invocation_counter=self._counter)
        self._counter += COUNTERS_PER_SESSION
        peer.associate()
        register, profile = GXDLMSRegister(str(REGISTER.logical_name)), GXDLMSProfileGeneric(str(JOURNAL.logical_name))
        value = peer.exchange(peer.client.read(register, 2)).value
        rows = peer.exchange(peer.client.read(profile, 2)).value
        peer.release()
        return value, rows


class GuruxOnOpenssl(Gurux):
    """The gurux-dlms client with OpenSSL swapped in."""

    def session(self, serve: Serve) -> Read:
        """The whole session."""
        with openssl():
            return super().session(serve)


OURS, LEAN, GURUX, GURUX_OPENSSL = "MeterPurse", "lean", "gurux-dlms", "gurux-dlms + OpenSSL"
CLIENTS = {OURS: OurClient, LEAN: LeanClient, GURUX: Gurux, GURUX_OPENSSL: GuruxOnOpenssl}
METERS = {OURS: OurMeter, LEAN: LeanMeter}


class Disagreement(Exception):
    """A peer does not read the values that were prepared: its time would be that of other work."""


def plain(read: Read) -> Read:
    """The same values in Python's own types."""
    value, rows = read
    return int(value), [tuple(bytes(cell) if isinstance(cell, bytearray) else cell for cell in row) for row in rows]


def check_agreement() -> None:
    """Every client reads the prepared values from every meter it is measured with; Disagreement otherwise."""
    wanted = VALUE, PLAN.decode(PAGE)
    if [axdr.decode(row).value[1].value for row in ROWS] != [row[1] for row in wanted[1]]:
        raise Disagreement("the row plan does not read what the general codec reads")
    for client, meter in [*((name, OURS) for name in CLIENTS), (LEAN, LEAN), (OURS, LEAN)]:
        if plain(CLIENTS[client](_title(client)).session(METERS[meter]().connection())) != wanted:
            raise Disagreement(f"{client} does not read from {meter} what was prepared")


def session_case(client: str, meter: str = OURS) -> Case:
    """Sessions of a client with one meter, a connection each: nanoseconds of the client and of the server."""
    return pair_case(CLIENTS[client](_title(client)), METERS[meter]())


def pair_case(peer: Any, served_by: Any) -> Case:
    """As `session_case`, of a client and a meter that were made before."""

    def run(count: int) -> tuple[int, ...]:
        server_ns = 0
        begin = process_time_ns()
        for _ in range(count):
            serve: Serve | None = None

            def timed(frame: bytes) -> bytes:
                nonlocal server_ns, serve
                entered = process_time_ns()
                if serve is None:
                    serve = served_by.connection()
                answer = serve(frame)
                server_ns += process_time_ns() - entered
                return answer

            peer.session(timed)
        return process_time_ns() - begin - server_ns, server_ns

    return run


def _title(client: str) -> bytes:
    return b"BEN" + bytes(4) + bytes((list(CLIENTS).index(client),))
