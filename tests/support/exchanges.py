"""A client's exchange and the plain responses it is fed with; every request it makes is decoded for the test."""

from typing import Any

from dlms_objects.wire.apdu import Apdu, decode_apdu
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.events import ClientCommand, ClientEvent
from dlms_objects.wire.exchange import Exchange, Limits
from dlms_objects.wire.exchanges import EXCHANGES
from dlms_objects.wire.parameters import USUAL_CONFORMANCE

INVOKE = 0xC5
NOTHING = Conformance(0)


def limits(plain_octets: int = 64, *, without: Conformance = NOTHING, transfer_octets: int = 10_000) -> Limits:
    """A server that takes so much in one APDU, and what we both can do."""
    return Limits(plain_octets, plain_octets, transfer_octets, USUAL_CONFORMANCE & ~without)


def exchange_of(command: ClientCommand, allowed: Limits | None = None) -> Exchange:
    """The exchange that the command begins."""
    return EXCHANGES[type(command)][1](command, INVOKE, limits() if allowed is None else allowed)


def begun(command: ClientCommand, allowed: Limits | None = None) -> tuple[Exchange, Apdu]:
    """The exchange and its first request."""
    exchange = exchange_of(command, allowed)
    return exchange, decode_apdu(exchange.begin())


def following(exchange: Exchange, response: Any) -> Apdu | ClientEvent:
    """What the response comes to: the next request, decoded, or the event."""
    outcome = exchange.take(response)
    return decode_apdu(outcome) if isinstance(outcome, bytes) else outcome


def blocks_of(exchange: Exchange, first: Any, response: Any) -> list[Any]:
    """All blocks of a request, each acknowledged by `response` with its number; all but the last checked to be such."""
    blocks, invoke = [first], exchange.invoke
    while not blocks[-1].last:
        acknowledgement = response(block_number=blocks[-1].block_number, invoke_id_and_priority=invoke)
        blocks.append(following(exchange, acknowledgement))
    assert [block.block_number for block in blocks] == list(range(1, len(blocks) + 1))
    assert {block.invoke_id_and_priority for block in blocks} == {invoke}
    return blocks
