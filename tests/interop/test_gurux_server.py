"""Our client reads from the gurux-dlms server, repaired and on OpenSSL, in memory: HLS 5 GMAC, GET, GET in blocks."""

from collections.abc import Iterator
from typing import Any

import pytest

from dlms_objects.wire import axdr, events
from dlms_objects.wire.client import ClientAssociation
from dlms_objects.wire.row_plan import RowPlan
from dlms_objects.wire.security import DecryptionError
from tests.bench.journal import journal_page, journal_rows
from tests.support.associations import (
    AUTHENTICATION_KEY,
    ENCRYPTION_KEY,
    JOURNAL,
    METER,
    NOW,
    OTHER_KEYS,
    REGISTER,
    World,
)
from tests.support.gurux_cipher import openssl
from tests.support.gurux_server import gurux_server, repaired

ROWS = journal_rows(120)
PAGE = journal_page(ROWS)


@pytest.fixture(autouse=True)
def _gurux_that_works() -> Iterator[None]:
    with repaired(), openssl():
        yield


class Line:
    """Our client on one end, gurux's server on the other."""

    def __init__(self, **changes: Any) -> None:
        rows = RowPlan.from_row(ROWS[0]).decode(PAGE)
        self.server = gurux_server(METER.octets, ENCRYPTION_KEY, AUTHENTICATION_KEY, 123_456, rows)
        self.client = ClientAssociation(World().parameters_for(1, **changes))
        self.round_trips = 0

    def run(self, command: events.ClientCommand) -> Any:
        octets = self.client.send(command, NOW)
        while True:
            self.round_trips += 1
            self.client.receive_data(self.server(octets), NOW)
            event = self.client.next_event()
            if not isinstance(event, events.SendOctets):
                return event
            octets = event.octets


@pytest.mark.parametrize("max_pdu", [65535, 1024, 256])
def test_our_client_associates_reads_and_releases(max_pdu: int) -> None:
    line = Line(max_pdu=max_pdu)
    associated = line.run(events.Associate())
    assert isinstance(associated, events.Associated)
    assert associated.server_title == METER
    assert axdr.decode(line.run(events.Get(REGISTER)).raw).value == 123_456
    before = line.round_trips
    assert line.run(events.Get(JOURNAL)).raw == PAGE
    assert (line.round_trips - before == 1) == (max_pdu == 65535)
    assert isinstance(line.run(events.Release()), events.Released)


def test_the_wrong_key_opens_nothing() -> None:
    line = Line(security=World().security(keys=OTHER_KEYS))
    assert isinstance(line.run(events.Associate()), events.AssociationRefused)


def test_an_answer_altered_on_its_way_is_refused() -> None:
    line = Line()
    line.run(events.Associate())
    server = line.server

    def altering(frame: bytes) -> bytes:
        answer = bytearray(server(frame))
        answer[-13] ^= 1
        return bytes(answer)

    line.server = altering
    with pytest.raises(DecryptionError):
        line.run(events.Get(REGISTER))
