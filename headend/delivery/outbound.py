"""HTTP requests to addresses of a configuration, which must not lead into the own network.

A name is resolved once, every address it has is judged, and the connection goes to a judged address, so a name that
changes in between gains nothing. Loopback, private, link-local, multicast and reserved networks are refused unless
allowed by the configuration. Redirects are never followed, answers are read up to a limit, everything has a deadline.
Imported by `sms` and `webhook`.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from treq.client import HTTPClient
from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import URI, Agent, ResponseFailed, ResponseNeverReceived
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from headend.delivery.sending import SendError, first_line
from headend.delivery.trust import tls_to

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], "Deferred[Sequence[str]]"]
"""The addresses of a host and port."""

ANSWER_OCTETS = 64 * 1024
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_PASSING = (408, 425, 429)
"""Refusals that another time may help: too slow, too early, too many."""


class ForbiddenAddressError(SendError):
    """A name leads to an address that may not be called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status and the first octets of a body."""

    status: int
    body: bytes


def require_callable(address: str, allow: Sequence[str]) -> None:
    """ForbiddenAddressError unless the address is public or in one of the allowed networks (CIDR)."""
    found: IPAddress = ipaddress.ip_address(address.partition("%")[0])
    inner = _inner(found)
    networks = [ipaddress.ip_network(network) for network in allow]
    if any(each in network for each in (found, inner) for network in networks if each.version == network.version):
        return
    if not all(each.is_global and not each.is_multicast for each in (found, inner)):
        raise ForbiddenAddressError(f"{found} is not a public address, and no `allow` names its network")


def resolve(host: str, port: int) -> "Deferred[Sequence[str]]":
    """Every address of a host, asked of the system in a thread."""

    async def ask() -> Sequence[str]:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [str(address[0]) for _family, _type, _protocol, _name, address in found]

    return Deferred.fromFuture(asyncio.ensure_future(ask()))


class Outbound:
    """A client for one configured service."""

    def __init__(  # noqa: PLR0913 - what the configuration says of a service
        self,
        reactor: AsyncioSelectorReactor,
        *,
        allow: Sequence[str],
        trust_file: Path | None,
        timeout_s: float,
        resolve: Resolve = resolve,
    ) -> None:
        """`timeout_s` is for a request as a whole."""
        self._reactor = reactor
        self._timeout_s = timeout_s
        endpoints = _JudgedEndpoints(reactor, allow, trust_file, resolve)
        self._client = HTTPClient(Agent.usingEndpointFactory(reactor, endpoints))

    async def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One request; SendError unless the answer is 2xx, final when it is 4xx and another time would not help."""
        asked = Deferred.fromCoroutine(self._ask(method, url, headers, body))
        asked.addTimeout(self._timeout_s, self._reactor)
        try:
            answer = await asked.asFuture(asyncio.get_running_loop())
        except (DeferredTimeoutError, CancelledError) as error:
            raise SendError(f"no answer within {self._timeout_s:g} s") from error
        except (ResponseFailed, ResponseNeverReceived) as error:
            if any(failure.check(CancelledError) for failure in error.reasons):
                raise SendError(f"no answer within {self._timeout_s:g} s") from error
            causes = "; ".join(first_line(failure.value) for failure in error.reasons)
            raise SendError(f"cut off: {causes}") from error
        except (ConnectError, ConnectionClosed, OSError) as error:
            raise SendError(f"not reached: {first_line(error)}") from error
        except ValueError as error:
            raise SendError(f"the address cannot be called: {first_line(error)}", is_final=True) from error
        _judge(answer)
        return answer

    async def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        response = await self._client.request(
            method,
            url,
            headers=Headers({name: [told] for name, told in headers.items()}),
            data=body,
            allow_redirects=False,
            unbuffered=True,
        )
        reading = _Beginning()
        response.original.deliverBody(reading)
        return Answer(status=response.code, body=await reading.ended)


@implementer(IAgentEndpointFactory)
class _JudgedEndpoints:
    """Where an Agent may connect to."""

    def __init__(
        self, reactor: AsyncioSelectorReactor, allow: Sequence[str], trust_file: Path | None, resolve: Resolve
    ) -> None:
        self._reactor = reactor
        self._allow = allow
        self._trust_file = trust_file
        self._resolve = resolve

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        host = uri.host.decode("ascii").removeprefix("[").removesuffix("]")
        judged = _Judged(self._reactor, host, uri.port, self._allow, self._resolve)
        if uri.scheme == b"https":
            return wrapClientTLS(tls_to(host, self._trust_file), judged)
        return judged


@implementer(IStreamClientEndpoint)
class _Judged:
    """A host that is connected to at an address that was judged, if every address it has may be called."""

    def __init__(
        self, reactor: AsyncioSelectorReactor, host: str, port: int, allow: Sequence[str], resolve: Resolve
    ) -> None:
        self._reactor = reactor
        self._host = host
        self._port = port
        self._allow = allow
        self._resolve = resolve

    def connect(self, protocolFactory: IProtocolFactory) -> "Deferred[IProtocol]":
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        addresses = await self._resolve(self._host, self._port)
        for address in addresses:
            require_callable(address, self._allow)
        lost: ConnectError | None = None
        for address in addresses:
            kind = TCP6ClientEndpoint if ":" in address else TCP4ClientEndpoint
            try:
                return await kind(self._reactor, address, self._port).connect(factory)
            except ConnectError as error:
                lost = error
        raise lost or ConnectError(string=f"{self._host} has no address")


class _Beginning(Protocol):
    """Reads a body up to ANSWER_OCTETS and hangs up on the rest."""

    def __init__(self) -> None:
        self.ended: Deferred[bytes] = Deferred()
        self._octets = b""

    def dataReceived(self, octets: bytes) -> None:
        self._octets += octets
        if len(self._octets) >= ANSWER_OCTETS and self.transport is not None:
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.ended.called:
            self.ended.callback(self._octets[:ANSWER_OCTETS])


def _inner(address: IPAddress) -> IPAddress:
    """The IPv4 address that an IPv6 one stands for (mapped, 6to4, NAT64), or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _judge(answer: Answer) -> None:
    if answer.status in range(200, 300):
        return
    if answer.status in range(300, 400):
        raise SendError(f"answers {answer.status}; redirects are not followed")
    is_final = answer.status in range(400, 500) and answer.status not in _PASSING
    raise SendError(f"answers {answer.status}", is_final=is_final)
