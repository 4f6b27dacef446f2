"""Peers beside gurux-dlms's client: dlms-cosem's client and decoder, and the gurux-dlms server with its repairs.

dlms-cosem's proof in HLS 5 has the invocation counter of the APDU that carries it, a nonce used twice, which our server
refuses; so that it can be measured, the server that answers it takes any proof (`TrustingMeter`).
"""

from typing import Any
from unittest.mock import patch

import structlog
from dlms_cosem import cosem, enumerations, utils
from dlms_cosem.client import DlmsClient
from dlms_cosem.io import TcpTransport
from dlms_cosem.security import HighLevelSecurityGmacAuthentication

from dlms_objects.values.logical_name import AttributeDescriptor
from dlms_objects.wire.security import BoundContext
from tests.bench.cosem_decoder import decoded_rows
from tests.bench.rounds import Case
from tests.bench.sessions import (
    COUNTERS_PER_SESSION,
    OURS,
    PAGE,
    PLAN,
    VALUE,
    Disagreement,
    OurClient,
    OurMeter,
    Read,
    Serve,
    pair_case,
    plain,
)
from tests.support.associations import AUTHENTICATION_KEY, ENCRYPTION_KEY, JOURNAL, MANAGEMENT, METER, REGISTER
from tests.support.associations import SERVER_SAP as SAP
from tests.support.gurux_server import gurux_server, repaired

DLMS_COSEM, GURUX_SERVER = "dlms-cosem", "gurux-dlms server, repaired"

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


class _HandOff:
    """What is sent goes straight to the server."""

    def __init__(self, serve: Serve) -> None:
        self._serve, self._held = serve, b""

    def connect(self) -> None:
        """There is nothing to connect."""

    def disconnect(self) -> None:
        """There is nothing to end."""

    def send(self, octets: bytes) -> None:
        """Hand over; keep the answer."""
        self._held += self._serve(bytes(octets))

    def recv(self, amount: int = 1) -> bytes:
        """So many octets of the answer."""
        octets, self._held = self._held[:amount], self._held[amount:]
        return octets


class DlmsCosem:
    """The dlms-cosem client; cell values as they travel, like those of the others."""

    def __init__(self, title: bytes) -> None:
        """A client system with its own counter."""
        self._title = title
        self._counter = 1

    def session(self, serve: Serve) -> Read:
        """The whole session."""
        client = DlmsClient(
            transport=TcpTransport(client_logical_address=MANAGEMENT, server_logical_address=SAP, io=_HandOff(serve)),
            authentication=HighLevelSecurityGmacAuthentication(challenge_length=16),
            encryption_key=ENCRYPTION_KEY,
            authentication_key=AUTHENTICATION_KEY,
            client_system_title=self._title,
            client_initial_invocation_counter=self._counter,
        )
        self._counter += COUNTERS_PER_SESSION
        with client.session() as session:
            value = utils.parse_as_dlms_data(session.get(_attribute(REGISTER)))
            rows = decoded_rows(session.get(_attribute(JOURNAL)))
        return value, rows


class TrustingMeter(OurMeter):
    """Our server, taking any proof."""

    def connection(self) -> Serve:
        """What answers the frames of one connection."""
        serve = super().connection()

        def trusting(frame: bytes) -> bytes:
            with patch.object(BoundContext, "verify_gmac", lambda *_: None):
                return serve(frame)

        return trusting


class GuruxMeter:
    """The repaired gurux-dlms server, a new one for each connection, with counters that go on."""

    def __init__(self) -> None:
        """Nobody has connected."""
        self._counter = 1

    def connection(self) -> Serve:
        """What answers the frames of one connection."""
        rows = PLAN.decode(PAGE)
        answer = gurux_server(METER.octets, ENCRYPTION_KEY, AUTHENTICATION_KEY, VALUE, rows, self._counter)
        self._counter += COUNTERS_PER_SESSION

        def serve(frame: bytes) -> bytes:
            with repaired():
                return answer(frame)

        return serve


def _attribute(attribute: AttributeDescriptor) -> Any:
    name = cosem.Obis(*attribute.logical_name.octets[:5])
    return cosem.CosemAttribute(enumerations.CosemInterface(attribute.class_id), name, attribute.attribute)


def peer_cases() -> dict[str, Case]:
    """Our client with our server, dlms-cosem's client, and our client with gurux's server; all read the same first."""
    wanted = VALUE, PLAN.decode(PAGE)
    pairs = {
        OURS: (OurClient(b"BENOURS0"), OurMeter()),
        DLMS_COSEM: (DlmsCosem(b"BENCOSEM"), TrustingMeter()),
        GURUX_SERVER: (OurClient(b"BENGURUX"), GuruxMeter()),
    }
    for name, (client, meter) in pairs.items():
        if plain(client.session(meter.connection())) != wanted:
            raise Disagreement(f"{name} does not read what was prepared")
    return {name: pair_case(client, meter) for name, (client, meter) in pairs.items()}
