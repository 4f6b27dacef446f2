"""The gurux-dlms client as an independent peer: sessions over any hand-off of frames, or over TCP.

Everything on the wire is made and read by gurux; only the cipher is exchanged, by the caller (`gurux_cipher`). Values
go out with gurux's own encoder, one by one, because it cannot tell a utf8-string from a visible-string in a list.
"""

import socket
from collections.abc import Callable
from typing import Any, Self

from gurux_dlms.enums import Authentication, DataType, InterfaceType, Security
from gurux_dlms.GXByteBuffer import GXByteBuffer
from gurux_dlms.GXReplyData import GXReplyData
from gurux_dlms.internal._GXCommon import _GXCommon
from gurux_dlms.secure import GXDLMSSecureClient

from dlms_objects.transport.credentials import MeterCredentials, SecretCredentials

ANSWER_TIMEOUT_S = 20
WRAPPER_HEADER_OCTETS = 8

Exchange = Callable[[bytes], bytes]
"""Puts a request frame on the line and gives the answer's frame."""


class GuruxError(Exception):
    """The peer answered with a data-access-result or action-result other than success."""

    def __init__(self, code: int) -> None:
        """`code`: the result as gurux's ErrorCode, the number on the wire."""
        super().__init__(f"gurux reports error {code}")
        self.code = code


class TcpLine:
    """A TCP connection that exchanges one wrapper frame for another."""

    def __init__(self, host: str, port: int) -> None:
        """Connect."""
        self._socket = socket.create_connection((host, port), timeout=ANSWER_TIMEOUT_S)
        self.round_trips = 0

    def __call__(self, frame: bytes) -> bytes:
        """Send the frame, wait for the answer; ConnectionError when the peer closes instead."""
        self._socket.sendall(frame)
        self.round_trips += 1
        header = self._read(WRAPPER_HEADER_OCTETS)
        return header + self._read(int.from_bytes(header[6:8], "big"))

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def __enter__(self) -> Self:
        """The line itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _read(self, count: int) -> bytes:
        octets = b""
        while len(octets) < count:
            piece = self._socket.recv(count - len(octets))
            if not piece:
                raise ConnectionError("the peer closed the connection")
            octets += piece
        return octets


class UdpLine:
    """A UDP socket that exchanges one wrapper frame for another."""

    def __init__(self, host: str, port: int) -> None:
        """Nothing is sent yet."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(ANSWER_TIMEOUT_S)
        self._socket.connect((host, port))

    def __call__(self, frame: bytes) -> bytes:
        """Send the frame, wait for the answer."""
        self._socket.send(frame)
        return self._socket.recv(65_535)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class Attribute:
    """One attribute as gurux's read and write take it, of any class; `value` is octets in A-XDR."""

    def __init__(self, class_id: int, logical_name: str, value: bytes = b"") -> None:
        """`logical_name` in dotted form."""
        self.objectType = class_id
        self.name = self.logicalName = logical_name
        self._value = value

    def getValue(self, _settings: object, _arguments: object) -> bytes:  # noqa: N802 - gurux's name
        """What to write."""
        return self._value

    def getDataType(self, _index: int) -> Any:  # noqa: N802 - gurux's name
        """A structure: gurux then sends the octets as they are."""
        return DataType.STRUCTURE


class GuruxClient:
    """One gurux-dlms client of one meter; the public client without credentials."""

    def __init__(
        self,
        exchange: Exchange,
        credentials: MeterCredentials | SecretCredentials | None = None,
        *,
        system_title: bytes = b"GRX\x00\x00\x00\x00\x02",
        invocation_counter: int = 1,
        max_pdu: int = 65535,
        public_sap: int = 16,
        server_sap: int = 1,
    ) -> None:
        """`invocation_counter` is the first one sent under the key."""
        self._exchange = exchange
        client_sap = public_sap if credentials is None else credentials.client_sap
        mechanism, password = Authentication.NONE, None
        if isinstance(credentials, SecretCredentials):
            mechanism, password = Authentication.LOW, credentials.secret
        elif credentials is not None:
            mechanism = Authentication.HIGH_GMAC
        self.client = GXDLMSSecureClient(True, client_sap, server_sap, mechanism, password, InterfaceType.WRAPPER)
        self.client.maxReceivePDUSize = max_pdu
        if isinstance(credentials, MeterCredentials):
            ciphering = self.client.ciphering
            ciphering.security = Security.AUTHENTICATION_ENCRYPTION
            ciphering.systemTitle = bytearray(system_title)
            ciphering.blockCipherKey = bytearray(credentials.encryption_key)
            ciphering.authenticationKey = bytearray(credentials.authentication_key)
            ciphering.invocationCounter = invocation_counter

    def associate(self) -> None:
        """Open the association, with passes 3 and 4 where the meter asks for them; gurux's exceptions when refused."""
        self.client.parseAareResponse(self.exchange(self.client.aarqRequest()).data)
        if self.client.isAuthenticationRequired:
            proof = self.exchange(self.client.getApplicationAssociationRequest())
            self.client.parseApplicationAssociationResponse(proof.data)

    def release(self) -> None:
        """Release the association."""
        self.exchange(self.client.releaseRequest())

    def read(self, class_id: int, logical_name: str, attribute: int) -> Any:
        """An attribute's value as gurux decodes it; GuruxError when it is not to be had."""
        return self.exchange(self.client.read(Attribute(class_id, logical_name), attribute)).value

    def read_object(self, item: Any, attribute: int) -> Any:
        """An attribute of one of gurux's own objects, kept in it as gurux understands it; GuruxError as `read`."""
        reply = self.exchange(self.client.read(item, attribute))
        return self.client.updateValue(item, attribute, reply.value)

    def write(self, class_id: int, logical_name: str, attribute: int, value: bytes) -> None:
        """Write A-XDR octets (see `encoded`) to an attribute; GuruxError when the meter does not take them."""
        self.exchange(self.client.write(Attribute(class_id, logical_name, value), attribute))

    def call(self, class_id: int, logical_name: str, method: int, parameter: bytes) -> Any:
        """Invoke a method; its return value as gurux decodes it."""
        item = Attribute(class_id, logical_name)
        return self.exchange(self.client.method(item, method, parameter, DataType.STRUCTURE)).value

    def exchange(self, requests: Any) -> Any:
        """Send what gurux made and collect the whole answer, blocks included: gurux's GXReplyData."""
        reply = GXReplyData()
        for request in requests if isinstance(requests, list) else [requests]:
            self.client.getData(self._exchange(bytes(request)), reply)
            while reply.isMoreData():
                self.client.getData(self._exchange(bytes(self.client.receiverReady(reply))), reply)
        if reply.error:
            raise GuruxError(int(reply.error))
        return reply


def encoded(type_: Any, value: Any) -> bytes:
    """One value in A-XDR by gurux's encoder."""
    octets = GXByteBuffer()
    _GXCommon.setData(None, octets, type_, value)
    return bytes(octets.array())


def encoded_structure(*members: bytes) -> bytes:
    """A structure of members encoded before."""
    return bytes((DataType.STRUCTURE, len(members))) + b"".join(members)
