"""The gurux-dlms client over HDLC: its own frames, segments and sequence numbers, one link around each association."""

from typing import Any

from gurux_dlms.enums import InterfaceType
from gurux_dlms.GXDLMSClient import GXDLMSClient

from tests.support.gurux_client import Exchange, GuruxClient


class GuruxHdlcClient(GuruxClient):
    """As GuruxClient; `exchange` gets one turn of the client and gives the server's turn."""

    def __init__(
        self,
        exchange: Exchange,
        credentials: Any = None,
        *,
        physical: int = 17,
        information_octets: int = 128,
        address_octets: int = 0,
        **options: Any,
    ) -> None:
        """`information_octets` both ways; `address_octets` 4 asks for the long form."""
        super().__init__(exchange, credentials, **options)
        client = self.client
        client.interfaceType = InterfaceType.HDLC
        client.serverAddress = GXDLMSClient.getServerAddress(1, physical, address_octets)
        client.serverAddressSize = address_octets
        client.hdlcSettings.maxInfoTX = client.hdlcSettings.maxInfoRX = information_octets

    def associate(self) -> None:
        """Open the link, then the association."""
        self.client.parseUAResponse(self.exchange(self.client.snrmRequest()).data)
        super().associate()

    def release(self) -> None:
        """Release the association and close the link."""
        super().release()
        self.exchange(self.client.disconnectRequest())
