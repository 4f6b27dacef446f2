"""Which addresses may be called, and that a name with one bad address is not called at all."""

from collections.abc import Sequence
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed

from headend.delivery.outbound import Answer, ForbiddenAddressError, Outbound, require_callable
from headend.delivery.sending import SendError
from tests.support.deliveries import message, send
from tests.support.http_server import Answer as Told
from tests.support.http_server import http_server


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "239.1.1.1", "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0",
        "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1",
    ],
)  # fmt: skip
def test_what_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(ForbiddenAddressError):
        require_callable(address, [])


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_what_is_public_may_be_called(address: str) -> None:
    require_callable(address, [])


def test_the_configuration_may_allow_a_network_of_its_own() -> None:
    require_callable("10.1.2.3", ["10.0.0.0/8"])
    require_callable("::ffff:10.1.2.3", ["10.0.0.0/8"])
    with pytest.raises(ForbiddenAddressError):
        require_callable("192.168.0.1", ["10.0.0.0/8", "fd00::/8"])


class _Asking:
    """An Outbound as a channel."""

    def __init__(self, outbound: Outbound, url: str) -> None:
        self.outbound = outbound
        self.url = url
        self.answer: Answer | None = None

    async def send(self, _message: Any) -> None:
        self.answer = await self.outbound.request("POST", self.url, {}, b"")


def ask(url: str, addresses: Sequence[str], allow: Sequence[str] = ("127.0.0.0/8",)) -> SendError | None:
    def resolve(_host: str, _port: int) -> "Deferred[Sequence[str]]":
        return succeed(addresses)

    def make(reactor: Any) -> _Asking:
        return _Asking(Outbound(reactor, allow=allow, trust_file=None, timeout_s=2, resolve=resolve), url)

    (outcome,) = send(make, message())
    return outcome


def test_the_connection_goes_to_the_address_that_was_judged() -> None:
    with http_server(lambda _: Told(200)) as url:
        port = url.rpartition(":")[2]
        assert ask(f"http://name.example:{port}/", ["127.0.0.1"]) is None


def test_one_forbidden_address_among_many_refuses_the_name() -> None:
    error = ask("http://name.example:9/", ["127.0.0.1", "10.0.0.1"])
    assert str(error) == "10.0.0.1 is not a public address, and no `allow` names its network"


def test_a_name_without_an_address_is_not_reached() -> None:
    assert str(ask("http://name.example:9/", [])).startswith("not reached")
