"""One command of a client on its way: its request, the blocks either way, and what the answer comes to.

Here: what every service has in common. Not here: ciphering, states and deadlines (`client`). An exchange is begun once;
`take` gives the next plain request or the event that ends it, and raises RemoteError for what does not answer. The
services import it: `get_exchange`, `set_exchange`, `action_exchange`, `access_exchange`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from dlms_objects.errors import LocalError, RemoteError
from dlms_objects.wire.apdu import Apdu
from dlms_objects.wire.blocks import DATABLOCK_HEAD_OCTETS, IncomingBlocks, OutgoingBlocks, Piece
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.events import ClientEvent

Item = TypeVar("Item")


class Limits(NamedTuple):
    """What an association allows, in octets: the longest plain request, the longest request as it goes on the line, the
    longest value in blocks that we take; and the services.
    """

    plain_octets: int
    pdu_octets: int
    transfer_octets: int
    conformance: Conformance


class Exchange(ABC):
    """One command on its way; `invoke` is the invoke-id-and-priority of all its requests."""

    __slots__ = ("_incoming", "_limits", "invoke")

    def __init__(self, invoke: int, limits: Limits) -> None:
        """Nothing is sent yet."""
        self.invoke = invoke
        self._limits = limits
        self._incoming: IncomingBlocks | None = None

    @abstractmethod
    def begin(self) -> bytes:
        """The first plain request; longer than the limit when it can neither be sent whole nor in its own blocks."""

    @abstractmethod
    def take(self, response: Apdu) -> bytes | ClientEvent:
        """What a response comes to."""

    def need(self, service: Conformance) -> None:
        """LocalError when the service was not agreed."""
        if service not in self._limits.conformance:
            raise LocalError(f"{str(service.name).lower()} was not agreed with the server")

    @property
    def is_joining(self) -> bool:
        """True once a block of the response has come: the rest comes in blocks too."""
        return self._incoming is not None

    def join(self, block_number: int, raw: bytes, *, last: bool) -> bytes | None:
        """The octets of all blocks when this was the last."""
        incoming = self._incoming
        if incoming is None:
            incoming = self._incoming = IncomingBlocks(self._limits.transfer_octets)
        return incoming.add(block_number, raw, last=last)


class CuttingExchange(Exchange):
    """SET and ACTION: the request may have to be cut into blocks."""

    __slots__ = ("_outgoing",)

    def __init__(self, invoke: int, limits: Limits) -> None:
        """Nothing is sent yet."""
        super().__init__(invoke, limits)
        self._outgoing: OutgoingBlocks | None = None

    def cut(self, plain: bytes, service: Conformance, raw: bytes, first: Callable[[Piece], bytes]) -> bytes:
        """The whole request where it fits, else its first block where blocks are agreed and their head leaves room."""
        limits = self._limits
        if len(plain) <= limits.plain_octets or service not in limits.conformance:
            return plain
        room_octets = limits.plain_octets - len(first(Piece(False, 1, b""))) + 1
        if room_octets < 2:
            return plain
        self._outgoing = OutgoingBlocks(raw)
        return first(self._outgoing.next(room_octets))

    def next_piece(self, acknowledged: int) -> Piece:
        """The block after the one that the server has."""
        outgoing = self._outgoing
        if outgoing is None or outgoing.is_done or acknowledged != outgoing.last_number:
            raise RemoteError(f"block {acknowledged} was acknowledged out of turn")
        return outgoing.next(self._limits.plain_octets - DATABLOCK_HEAD_OCTETS)

    def check_end(self, *, success: bool) -> None:
        """RemoteError when the server says it succeeded before it has everything."""
        if success and self._outgoing is not None and not self._outgoing.is_done:
            raise RemoteError("the server succeeded before it had the whole request")


def one_for_each(items: tuple[Item, ...], count: int) -> tuple[Item, ...]:
    """The items, when there is one for each that was asked for; RemoteError otherwise."""
    if len(items) != count:
        raise RemoteError(f"{len(items)} results came for {count} items")
    return items


def unexpected(response: Apdu) -> RemoteError:
    """What to raise for an APDU that does not answer."""
    return RemoteError(f"{type(response).__name__} does not answer what was asked")
