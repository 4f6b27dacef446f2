"""One HDLC frame of 128 octets of information, made and read: ours beside gurux-dlms and dlms-cosem, same octets."""

from collections.abc import Callable
from typing import Any

from dlms_cosem.hdlc import address, frames
from gurux_dlms.enums import InterfaceType
from gurux_dlms.GXByteBuffer import GXByteBuffer
from gurux_dlms.GXDLMS import GXDLMS
from gurux_dlms.GXDLMSSettings import GXDLMSSettings
from gurux_dlms.GXReplyData import GXReplyData

from dlms_objects.wire.hdlc_address import HdlcAddress
from dlms_objects.wire.hdlc_frame import HdlcFrame
from dlms_objects.wire.hdlc_reader import HdlcReader
from dlms_objects.wire.hdlc_segments import LLC_RESPONSE
from tests.bench.rounds import Case, operation
from tests.bench.sessions import Disagreement

OURS, GURUX, DLMS_COSEM = "MeterPurse", "gurux-dlms", "dlms-cosem"
INFORMATION = LLC_RESPONSE + bytes(range(125))
I_FRAME = 0x30
CLIENT, SERVER = HdlcAddress.client(16), HdlcAddress.server(1)
LONGEST = 131

Make = Callable[[], bytes]
Read = Callable[[Any], Any]


def frame_cases() -> dict[str, Case]:
    """Making the frame and reading it, by each; Disagreement when one makes or reads other octets."""
    server, client = (_gurux_settings(is_server=is_server) for is_server in (True, False))
    reader = HdlcReader()
    parts = [
        address.HdlcAddress(logical_address=sap, physical_address=None, address_type=kind)
        for sap, kind in ((16, "client"), (1, "server"))
    ]

    def our_make() -> bytes:
        return HdlcFrame(CLIENT, SERVER, I_FRAME, INFORMATION).encode()

    def gurux_make() -> bytes:
        return bytes(GXDLMS.getHdlcFrame(server, I_FRAME, GXByteBuffer(INFORMATION)))

    def gurux_read(octets: bytes) -> Any:
        client.receiverFrame, client.senderFrame = 0x0E, 0x10
        reply, buffer = GXReplyData(), GXByteBuffer(octets)
        GXDLMS.getHdlcData(False, client, buffer, reply, None)
        GXDLMS.getDataFromFrame(buffer, reply, True)
        return reply

    def cosem_make() -> bytes:
        return frames.InformationFrame(
            *parts, INFORMATION, send_sequence_number=0, receive_sequence_number=1, segmented=False, final=True
        ).to_bytes()

    peers: dict[str, tuple[Make, Read, Read]] = {
        OURS: (our_make, reader.receive, lambda found: found[0].payload),
        GURUX: (gurux_make, gurux_read, lambda reply: LLC_RESPONSE + bytes(reply.data.array())),
        DLMS_COSEM: (cosem_make, frames.InformationFrame.from_bytes, lambda frame: frame.payload),
    }
    for name, (make, read, information) in peers.items():
        if make() != our_make() or information(read(make())) != INFORMATION:
            raise Disagreement(f"{name} makes or reads another HDLC frame")
    return {name: _made_and_read(make, read) for name, (make, read, _) in peers.items()}


def _made_and_read(make: Make, read: Read) -> Case:
    return operation(lambda: read(make()))


def _gurux_settings(*, is_server: bool) -> Any:
    settings = GXDLMSSettings(is_server, None)
    settings.interfaceType = InterfaceType.HDLC
    settings.clientAddress, settings.serverAddress = 16, 1
    settings.hdlc.maxInfoTX = settings.hdlc.maxInfoRX = LONGEST
    return settings
