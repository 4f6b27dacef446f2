"""The gurux-dlms server as a peer for our client, with the repairs without which 1.0.203 cannot answer one request.

Tests only; the installed package is not written to. What still fails after the repairs and is not
used here: SET, selective access. It does not check invocation counters, and verifies tags only on `gurux_cipher`.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any
from unittest.mock import patch

from gurux_dlms._GXAPDU import _GXAPDU
from gurux_dlms.AesGcmParameter import AesGcmParameter
from gurux_dlms.enums import Authentication, DataType, InterfaceType, Security, SourceDiagnostic
from gurux_dlms.enums.AccessMode import AccessMode
from gurux_dlms.enums.MethodAccessMode import MethodAccessMode
from gurux_dlms.GXByteBuffer import GXByteBuffer
from gurux_dlms.GXCiphering import GXCiphering
from gurux_dlms.GXDLMS import GXDLMS
from gurux_dlms.GXDLMSLongTransaction import GXDLMSLongTransaction
from gurux_dlms.GXDLMSServer import GXDLMSServer
from gurux_dlms.GXDLMSSettings import GXDLMSSettings
from gurux_dlms.GXSecure import GXSecure
from gurux_dlms.GXServerReply import GXServerReply
from gurux_dlms.objects import (
    GXDLMSAssociationLogicalName,
    GXDLMSCaptureObject,
    GXDLMSData,
    GXDLMSProfileGeneric,
    GXDLMSRegister,
)
from gurux_dlms.objects.enums.AssociationStatus import AssociationStatus
from gurux_dlms.secure.GXDLMSSecureServer import GXDLMSSecureServer
from gurux_dlms.ValueEventArgs import ValueEventArgs

REGISTER, PROFILE = "1.0.1.8.0.255", "0.0.99.128.0.255"
JOURNAL_TYPES = (
    *(DataType.OCTET_STRING, DataType.UINT32, DataType.ENUM, DataType.UINT8, DataType.OCTET_STRING),
    *(DataType.INT64, DataType.INT64, DataType.OCTET_STRING, DataType.UINT32, DataType.OCTET_STRING),
)
_HLS_GMAC_NAME = bytes.fromhex("88020780890760857405080205")


def gurux_server(  # noqa: PLR0917 - in the order of what it is and what it has
    title: bytes,
    encryption_key: bytes,
    authentication_key: bytes,
    value: int,
    rows: Sequence[Any],
    invocation_counter: int = 1,
) -> Any:
    """A server with a register of that value and a profile of those journal rows: call it with a frame, `repaired`."""
    server = _SERVER(True, InterfaceType.WRAPPER)
    ciphering = GXCiphering(bytearray(title))
    ciphering.blockCipherKey = bytearray(encryption_key)
    ciphering.authenticationKey = bytearray(authentication_key)
    ciphering.invocationCounter = invocation_counter
    server.settings.cipher = ciphering  # the constructor stores keys where nothing reads them
    register = GXDLMSRegister(REGISTER)
    register.value = value
    register.setDataType(2, DataType.UINT32)
    profile = GXDLMSProfileGeneric(PROFILE)
    for number, type_ in enumerate(JOURNAL_TYPES, start=1):
        column = GXDLMSData(f"0.0.128.9.{number}.255")
        column.setDataType(2, type_)
        profile.captureObjects.append((column, GXDLMSCaptureObject(2, 0)))
    profile.buffer = [[bytearray(cell) if isinstance(cell, bytes) else cell for cell in row] for row in rows]
    profile.entriesInUse = len(rows)
    association = GXDLMSAssociationLogicalName()
    association.objectList.append(register)
    for item in (register, profile, association):
        server.items.append(item)
    server.initialize()

    def answer(frame: bytes) -> bytes:
        reply = GXServerReply(frame)
        server.handleRequest(reply)
        return bytes(reply.reply)

    return answer


@contextlib.contextmanager
def repaired() -> Iterator[None]:
    """Within the block gurux's server can hold an association and answer GET; after it, gurux is as shipped."""
    with contextlib.ExitStack() as repairs:
        for owner, name, member in _REPAIRS:
            repairs.enter_context(patch.object(owner, name, member, create=True))
        yield


def _nothing(*_arguments: object) -> None:
    """A hook of the application that does nothing."""


def _setter(name: str) -> Any:
    return lambda self, value: setattr(self, name, value)


def _getter(name: str) -> Any:
    return lambda self: getattr(self, name)


def _keep_block(transaction: Any, octets: Any) -> None:
    transaction.data = GXByteBuffer()
    transaction.data.set(octets)


def _reset_but_counter(ciphering: Any) -> None:
    """As shipped, every AARQ sets the invocation counter to 0 and so repeats nonces."""
    ciphering.security = Security.NONE


def _user_information(cls: Any, settings: Any, cipher: Any) -> Any:
    """As shipped, the AARE's invocation counter is used again by the next response."""
    octets = _USER_INFORMATION(cls, settings, cipher)
    if cipher and cipher.isCiphered():
        cipher.invocationCounter += 1
    return octets


_USER_INFORMATION = _GXAPDU.getUserInformation.__func__


def _aare(  # noqa: PLR0917 - gurux's signature
    cls: Any, settings: Any, apdu: Any, result: int, diagnostic: int, cipher: Any, error: Any, _encrypted: Any
) -> None:
    """As shipped, a TypeError when a system title is sent, and two wrong lengths."""
    body = GXByteBuffer()
    cls.generateApplicationContextName(settings, body, cipher)
    body.set(bytes((0xA2, 3, 2, 1, result, 0xA3, 5, 0xA1, 3, 2, 1, diagnostic)))
    body.set(b"\xa4\x0a\x04\x08" + bytes(cipher.systemTitle))
    if settings.authentication > Authentication.LOW:
        challenge = bytes(settings.stoCChallenge)
        body.set(_HLS_GMAC_NAME + bytes((0xAA, len(challenge) + 2, 0x80, len(challenge))) + challenge)
    information = bytes(error.array() if error else cls.getUserInformation(settings, cipher))
    body.set(bytes((0xBE, len(information) + 2, 4, len(information))) + information)
    apdu.set(bytes((0x61, len(body))))
    apdu.set(body)


def _open_request(_cls: Any, settings: Any, received: Any) -> None:
    """As shipped, title and keys are handed over shifted by one argument."""
    received.data.position -= 1
    cipher = settings.cipher
    parameters = AesGcmParameter(0, settings.sourceSystemTitle, cipher.blockCipherKey, cipher.authenticationKey)
    plain = GXCiphering.decrypt(settings, parameters, received.data)
    received.data.clear()
    received.data.set(plain)
    received.command = received.data.getUInt8()


def _reply_to_hls(association: Any, settings: Any, event: Any) -> Any:
    """As shipped, a TypeError in pass 3."""
    proof, cipher = bytes(event.parameters), settings.cipher
    counter = int.from_bytes(proof[1:5], "big")
    wanted = GXSecure.secure(settings, cipher, counter, bytearray(settings.stoCChallenge), settings.sourceSystemTitle)
    if bytes(wanted) != proof:
        association.associationStatus = AssociationStatus.NON_ASSOCIATED
        return None
    answer = GXSecure.secure(
        settings, cipher, cipher.invocationCounter, bytearray(settings.ctoSChallenge), cipher.systemTitle
    )
    cipher.invocationCounter += 1
    association.associationStatus = AssociationStatus.ASSOCIATED
    return bytearray(answer)


def _release(server: Any, _received: Any) -> None:
    """As shipped, the lengths of the RLRE are wrong."""
    information = bytes(_GXAPDU.getUserInformation(server.settings, server.settings.cipher))
    server.replyData.set(bytes((0x63, len(information) + 7, 0x80, 1, 0, 0xBE, len(information) + 2, 4)))
    server.replyData.set(bytes((len(information),)) + information)


_REPAIRS: tuple[tuple[Any, str, Any], ...] = (
    (GXServerReply, "setReply", _setter("reply")),
    (GXServerReply, "getConnectionInfo", _getter("connectionInfo")),
    (GXServerReply, "getCount", _getter("count")),
    (GXServerReply, "setCount", _setter("count")),
    (GXDLMSServer, "notifyRead", _nothing),
    (GXDLMSServer, "notifyConnected", lambda self, connection: self.onConnected(connection)),
    (GXDLMSServer, "getTransaction", _getter("transaction")),
    (GXDLMSServer, "setTransaction", _setter("transaction")),
    (GXDLMSServer, "handleReleaseRequest", _release),
    (ValueEventArgs, "__iter__", lambda self: iter([self])),
    (ValueEventArgs, "value", None),
    (ValueEventArgs, "getRowEndIndex", _getter("rowEndIndex")),
    (GXDLMSSettings, "setConnected", _setter("connected")),
    (GXDLMSSettings, "gbtWndowSize", 1),
    (GXDLMSSettings, "getMaxPduSize", _getter("maxPduSize")),
    (GXDLMSLongTransaction, "setData", _keep_block),
    (GXCiphering, "reset", _reset_but_counter),
    (_GXAPDU, "getUserInformation", classmethod(_user_information)),
    (_GXAPDU, "generateAARE", classmethod(_aare)),
    (GXDLMS, "handleGloDedRequest", classmethod(_open_request)),
    (GXDLMSAssociationLogicalName, "getAssociationStatus", _getter("associationStatus")),
    (GXDLMSAssociationLogicalName, "invoke", _reply_to_hls),
)

_HOOKS = (
    *("onPreRead", "onPostRead", "onPreAction", "onPostAction", "onPreWrite", "onPostWrite", "onFindObject"),
    *("onConnected", "onDisconnected", "onInvalidConnection"),
)
_SERVER = type(
    "Server",
    (GXDLMSSecureServer,),
    {
        **dict.fromkeys(_HOOKS, _nothing),
        "isTarget": lambda *_arguments: True,
        "onValidateAuthentication": lambda *_arguments: SourceDiagnostic.NONE,
        "onGetAttributeAccess": lambda *_arguments: AccessMode.READ,
        "onGetMethodAccess": lambda *_arguments: MethodAccessMode.ACCESS,
    },
)
