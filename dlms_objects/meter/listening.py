"""Listening on TCP at `host:port`, with the endpoint to reach it at. For the services of a meter and of a fleet."""

from typing import TYPE_CHECKING, Any, cast

from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint, quoteStringArgument
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort

from dlms_objects.errors import LocalError
from dlms_objects.program_folder import host_and_port

if TYPE_CHECKING:
    from twisted.internet.address import IPv4Address, IPv6Address


class AddressInUseError(LocalError):
    """The address in `listen` cannot be listened on."""


class PanelAddressInUseError(LocalError):
    """The address in `panel.listen` cannot be listened on."""


async def listen_on(
    reactor: Any,
    listen: str,
    factory: Any,
    backlog: int = 50,
    in_use: type[LocalError] = AddressInUseError,
) -> tuple[IListeningPort, str]:
    """Listen at `host:port`: the open port, and its endpoint (`tcp:127.0.0.1:4059`); `in_use` when it is taken."""
    host, port = host_and_port(listen)
    kind = TCP6ServerEndpoint if ":" in host else TCP4ServerEndpoint
    try:
        listening = kind(reactor, port, backlog, host).listen(factory)  # type: ignore[no-untyped-call]
        opened: IListeningPort = await listening
    except CannotListenError as error:
        raise in_use(f"cannot listen on {listen}: {error.socketError}") from error
    address = cast("IPv4Address | IPv6Address", opened.getHost())
    return opened, f"tcp:{quoteStringArgument(address.host)}:{address.port}"
