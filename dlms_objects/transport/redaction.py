"""What a trace never shows: keys, passwords, and proofs made from them, wherever they travel in the clear.

A redactor follows one session: it knows the client's own secrets, and from each plain APDU which octets are secret by
their place (a password in an AARQ, a dedicated key, the proofs of HLS, attributes and methods that hold keys). What
cannot be told apart from a secret is taken out, and what a ciphering leaves readable too. Imported by `trace`.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from dlms_objects.errors import InvalidValueError, RemoteError
from dlms_objects.values.logical_name import AttributeDescriptor, MethodDescriptor
from dlms_objects.wire.acse import Aare, Aarq, Mechanism
from dlms_objects.wire.apdu import Apdu, decode_apdu
from dlms_objects.wire.ciphered import Enveloped
from dlms_objects.wire.general_block import GeneralBlockTransfer
from dlms_objects.wire.initiate import InitiateRequest
from dlms_objects.wire.parameters import ClientParameters
from dlms_objects.wire.policy import Protection

Ranges = tuple[tuple[int, int], ...]
"""Where octets to be taken out begin and end."""

HEAD_OCTETS = 3
ENVELOPE_OCTETS = 5
MASK = "**"

_CHALLENGES: Final = frozenset(mechanism for mechanism in Mechanism if mechanism >= Mechanism.HLS)

# By class: the attributes and the methods whose values are secrets, or are made from one.
_SECRET_ATTRIBUTES: Final = {12: {4}, 15: {7}, 19: {7, 8, 9}, 44: {5}, 45: {3}, 100: {6, 7}}
_SECRET_METHODS: Final = {12: {5, 6, 8}, 15: {1, 2}, 64: {2, 3}, 72: {7, 8}, 100: {2}}


class Redactor:
    """Finds the secret octets of one session's APDUs, in the order they travel."""

    def __init__(self, secrets: Iterable[bytes] = ()) -> None:
        """`secrets` are octets that are taken out wherever they stand."""
        self._secrets = tuple(secret for secret in secrets if secret)
        self._is_about_a_secret = False

    @classmethod
    def of_client(cls, parameters: ClientParameters) -> "Redactor":
        """A redactor that knows the secrets of a client."""
        secrets = [parameters.password or b"", parameters.hls_secret or b""]
        if parameters.security is not None:
            keys = parameters.security.keys
            secrets += [keys.global_unicast_encryption_key, keys.authentication_key]
        return cls(secrets)

    def hide(self, secret: bytes) -> None:
        """Take these octets out too from now on."""
        self._secrets = (*self._secrets, secret)

    def ranges_of(self, octets: bytes) -> Ranges:
        """The secret octets of an APDU; its place in the session counts. Never raises."""
        try:
            apdu = decode_apdu(octets)
        except (RemoteError, InvalidValueError):
            hidden = [octets[HEAD_OCTETS:]] if self._is_about_a_secret else []
        else:
            hidden = list(self._hidden(apdu))
        return tuple(sorted({place for part in (*self._secrets, *hidden) for place in _places(octets, part)}))

    def _hidden(self, apdu: Apdu) -> Iterator[bytes]:
        if isinstance(apdu, Enveloped):
            yield _readable(apdu)
            return
        if isinstance(apdu, Aarq | Aare):
            yield from _secrets_of_opening(apdu)
            return
        if isinstance(apdu, GeneralBlockTransfer):
            yield apdu.block
            return
        if isinstance(apdu, InitiateRequest):
            yield apdu.dedicated_key or b""
            return
        descriptors = list(_descriptors(apdu))
        if descriptors:
            self._is_about_a_secret = any(map(_is_secret, descriptors))
        if self._is_about_a_secret:
            yield from _carried(apdu)


def redacted(octets: bytes, ranges: Ranges) -> bytes:
    """The octets with zeros in place of the secret ones."""
    result = bytearray(octets)
    for start, end in ranges:
        result[start:end] = bytes(end - start)
    return bytes(result)


def redacted_hex(octets: bytes, ranges: Ranges) -> str:
    """The octets in hexadecimal with MASK in place of each secret one."""
    pairs = [f"{octet:02X}" for octet in octets]
    for start, end in ranges:
        pairs[start:end] = [MASK] * (end - start)
    return "".join(pairs)


def _secrets_of_opening(apdu: Aarq | Aare) -> Iterator[bytes]:
    """A password (challenges are no secrets), and the dedicated key of a plain initiate request."""
    if isinstance(apdu, Aarq) and apdu.mechanism not in _CHALLENGES:
        yield apdu.calling_authentication_value or b""
    if apdu.user_information is not None:
        try:
            initiate = decode_apdu(apdu.user_information)
        except (RemoteError, InvalidValueError):
            return
        if isinstance(initiate, InitiateRequest):
            yield initiate.dedicated_key or b""
        elif isinstance(initiate, Enveloped):
            yield _readable(initiate)


def _readable(apdu: Enveloped) -> bytes:
    """The content of a ciphering that only authenticates: it travels in the clear."""
    return b"" if apdu.security_control & Protection.ENCRYPTED else apdu.content[ENVELOPE_OCTETS:]


def _descriptors(apdu: Any) -> Iterator[AttributeDescriptor | MethodDescriptor]:
    """Every attribute and method an APDU names, in whatever list it stands."""
    for name in ("attribute", "method"):
        if (descriptor := getattr(apdu, name, None)) is not None:
            yield descriptor
    for name in ("attributes", "methods", "specifications"):
        for item in getattr(apdu, name, None) or ():
            if isinstance(item, AttributeDescriptor | MethodDescriptor):
                yield item
            else:
                yield from _descriptors(item)


def _is_secret(descriptor: AttributeDescriptor | MethodDescriptor) -> bool:
    if isinstance(descriptor, AttributeDescriptor):
        return descriptor.attribute in _SECRET_ATTRIBUTES.get(descriptor.class_id, ())
    return descriptor.method in _SECRET_METHODS.get(descriptor.class_id, ())


def _carried(apdu: Any) -> Iterator[bytes]:
    """Every value an APDU carries, or part of one."""
    for name in ("value", "parameters", "raw", "result", "body", "values", "results", "responses"):
        held = getattr(apdu, name, None)
        for item in held if isinstance(held, tuple) else (held,):
            value = item if isinstance(item, bytes) else getattr(item, "value", None)
            if isinstance(value, bytes):
                yield value


def _places(octets: bytes, part: bytes) -> Iterator[tuple[int, int]]:
    """Every place where the part stands."""
    start = octets.find(part) if part else -1
    while start >= 0:
        yield start, start + len(part)
        start = octets.find(part, start + 1)
