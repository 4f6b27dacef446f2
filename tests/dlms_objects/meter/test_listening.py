"""Listening: the endpoint by which one is reached, or one clear error."""

import pytest
from twisted.internet.protocol import Factory

from dlms_objects.meter.listening import AddressInUseError, listen_on
from tests.support.memory_network import MemoryReactor
from tests.support.twisted_testing import result_of


@pytest.mark.parametrize(
    ("listen", "endpoint"), [("127.0.0.1:4059", "tcp:127.0.0.1:4059"), ("[::1]:4059", "tcp:\\:\\:1:4059")]
)
def test_the_endpoint_is_where_clients_connect(listen, endpoint):
    reactor, factory = MemoryReactor(0.0), Factory()
    reactor.listenTCP6 = reactor.listenTCP
    _, found = result_of(listen_on(reactor, listen, factory))
    assert found == endpoint
    assert reactor.listener is factory


def test_an_address_in_use_is_named():
    reactor = MemoryReactor(0.0)
    result_of(listen_on(reactor, "127.0.0.1:4059", Factory()))
    with pytest.raises(AddressInUseError, match="cannot listen on 127.0.0.1:4059: .*in use"):
        result_of(listen_on(reactor, "127.0.0.1:4059", Factory()))
