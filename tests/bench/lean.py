"""The limit in plain Python: the least client and server that speak this one session, a yardstick and no product.

One context, one mechanism (HLS 5 GMAC, suite 0, authenticated encryption), no states, no selective access, no blocks,
hardly an error path; but tags, counters and the proofs are checked. It speaks with our engines and with gurux-dlms.
"""

import os
import struct
from collections.abc import Callable, Generator, Mapping
from hmac import compare_digest

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

WRAPPER = struct.Struct(">HHHH")
CONTROL_AND_COUNTER = struct.Struct(">BI")
REQUEST = struct.Struct(">BBBH6sBB")
CONTEXT_CIPHERED = bytes.fromhex("60857405080103")
MECHANISM_GMAC = bytes.fromhex("60857405080205")
CONFORMANCE = bytes.fromhex("00181d")  # blocks with get and set, get, set, selective access, action
GLO = {0xC0: 0xC8, 0xC3: 0xCB, 0xC4: 0xCC, 0xC7: 0xCF}
ASSOCIATION = bytes((0, 0, 40, 0, 0, 255))


class Denied(Exception):
    """The peer sent something else than this session holds."""


def read_length(octets: bytes, offset: int) -> tuple[int, int]:
    length = octets[offset]
    if length < 128:
        return length, offset + 1
    size = length & 0x7F
    return int.from_bytes(octets[offset + 1 : offset + 1 + size], "big"), offset + 1 + size


def length_of(length: int) -> bytes:
    if length < 128:
        return bytes((length,))
    if length < 256:
        return bytes((0x81, length))
    return struct.pack(">BH", 0x82, length)


def after_length(octets: bytes, offset: int) -> int:
    length, offset = read_length(octets, offset)
    if offset + length != len(octets):
        raise Denied("length")
    return offset


def fields(octets: bytes, offset: int) -> dict[int, bytes]:
    found = {}
    while offset < len(octets):
        tag = octets[offset]
        length, offset = read_length(octets, offset + 1)
        found[tag] = octets[offset : offset + length]
        offset += length
    if offset != len(octets):
        raise Denied("BER")
    return found


class Keys:
    """One side's keys and counters: it encrypts as `title` and decrypts what `peer` sent."""

    __slots__ = ("associated", "authentication_key", "cipher", "counter", "peer", "peer_counter", "title")

    def __init__(self, encryption_key: bytes, authentication_key: bytes, title: bytes, counter: int = 1) -> None:
        self.cipher = AESGCM(encryption_key)
        self.authentication_key = authentication_key
        self.associated = b"\x30" + authentication_key
        self.title = title
        self.counter = counter
        self.peer = b""
        self.peer_counter = -1

    def seal(self, tag: int, plain: bytes) -> bytes:
        counter = self.counter
        self.counter = counter + 1
        nonce = self.title + counter.to_bytes(4, "big")
        body = CONTROL_AND_COUNTER.pack(0x30, counter) + self.cipher.encrypt(nonce, plain, self.associated)[:-4]
        return bytes((tag,)) + length_of(len(body)) + body

    def open(self, octets: bytes) -> bytes:
        offset = after_length(octets, 1)
        control, counter = CONTROL_AND_COUNTER.unpack_from(octets, offset)
        if control != 0x30 or counter <= self.peer_counter:
            raise Denied("security control or counter")
        nonce = self.peer + counter.to_bytes(4, "big")
        encrypt = self.cipher.encrypt
        plain = encrypt(nonce, octets[offset + 5 : -12], None)[:-16]
        if not compare_digest(encrypt(nonce, plain, self.associated)[-16:-4], octets[-12:]):
            raise Denied("tag")
        self.peer_counter = counter
        return plain

    def gmac(self, title: bytes, counter: int, challenge: bytes) -> bytes:
        associated = b"\x10" + self.authentication_key + challenge
        return self.cipher.encrypt(title + counter.to_bytes(4, "big"), b"", associated)[:-4]

    def proof(self, challenge: bytes) -> bytes:
        counter = self.counter
        self.counter = counter + 1
        return CONTROL_AND_COUNTER.pack(0x10, counter) + self.gmac(self.title, counter, challenge)

    def is_proof(self, value: bytes, challenge: bytes) -> bool:
        control, counter = CONTROL_AND_COUNTER.unpack_from(value)
        return control == 0x10 and compare_digest(self.gmac(self.peer, counter, challenge), value[5:])


class Client:
    """A client of one session: a generator that yields request frames and is sent response frames."""

    def __init__(self, keys: Keys, client_sap: int, server_sap: int) -> None:
        self.keys = keys
        self.client_sap, self.server_sap = client_sap, server_sap

    def wrap(self, apdu: bytes) -> bytes:
        return WRAPPER.pack(1, self.client_sap, self.server_sap, len(apdu)) + apdu

    def unwrap(self, frame: bytes) -> bytes:
        version, source, destination, length = WRAPPER.unpack_from(frame)
        if version != 1 or source != self.server_sap or destination != self.client_sap or length + 8 != len(frame):
            raise Denied("wrapper")
        return frame[8:]

    def seal(self, plain: bytes) -> bytes:
        return self.wrap(self.keys.seal(GLO[plain[0]], plain))

    def open(self, frame: bytes) -> bytes:
        return self.keys.open(self.unwrap(frame))

    def aarq(self, challenge: bytes) -> bytes:
        initiate = self.keys.seal(0x21, b"\x01\x00\x00\x00\x06\x5f\x1f\x04\x00" + CONFORMANCE + b"\xff\xff")
        body = b"".join(
            (
                b"\xa1\x09\x06\x07" + CONTEXT_CIPHERED + b"\xa6\x0a\x04\x08" + self.keys.title,
                b"\x8a\x02\x07\x80\x8b\x07" + MECHANISM_GMAC,
                b"\xac" + length_of(len(challenge) + 2) + b"\x80" + length_of(len(challenge)) + challenge,
                b"\xbe" + length_of(len(initiate) + 2) + b"\x04" + length_of(len(initiate)) + initiate,
            )
        )
        return self.wrap(b"\x60" + length_of(len(body)) + body)

    def aare(self, frame: bytes) -> bytes:
        """The server's challenge."""
        apdu = self.unwrap(frame)
        if apdu[0] != 0x61:
            raise Denied("AARE")
        found = fields(apdu, after_length(apdu, 1))
        if found[0xA2][-1] != 0 or found[0xA3][-1] != 14:
            raise Denied("association")
        self.keys.peer = found[0xA4][2:]
        information = found[0xBE]
        initiate = information[after_length(information, 1) :]
        if initiate[0] != 0x28:
            raise Denied("initiate")
        plain = self.keys.open(initiate)
        if plain[0] != 8 or plain[2] != 6:
            raise Denied("initiate")
        return found[0xAA][2:]

    def get(self, class_id: int, name: bytes, attribute: int) -> Generator[bytes, bytes, bytes]:
        apdu = self.open((yield self.seal(REQUEST.pack(0xC0, 1, 0xC1, class_id, name, attribute, 0))))
        if apdu[0] != 0xC4 or apdu[1] != 1 or apdu[3]:
            raise Denied("get")
        return apdu[4:]

    def session(self, register: bytes, profile: bytes) -> Generator[bytes, bytes, tuple[int, list[tuple[object, ...]]]]:
        """AARQ, passes 3 and 4, GET register, GET profile, RLRQ: the value and the rows."""
        challenge = os.urandom(16)
        proof = self.keys.proof(self.aare((yield self.aarq(challenge))))
        action = REQUEST.pack(0xC3, 1, 0xC1, 15, ASSOCIATION, 1, 1) + bytes((9, len(proof))) + proof
        apdu = self.open((yield self.seal(action)))
        if apdu[:2] != b"\xc7\x01" or apdu[3:7] != b"\x00\x01\x00\x09":
            raise Denied("HLS")
        if not self.keys.is_proof(apdu[8:], challenge):
            raise Denied("HLS")
        value = int.from_bytes((yield from self.get(3, register, 2))[1:], "big")
        rows = decode_rows((yield from self.get(7, profile, 2)))
        if self.unwrap((yield self.wrap(b"\x62\x03\x80\x01\x00")))[0] != 0x63:
            raise Denied("RLRE")
        return value, rows


class Server:
    """The other half: `objects` gives the A-XDR octets by (class id, logical name, attribute)."""

    def __init__(self, keys: Keys, objects: Mapping[tuple[int, bytes, int], bytes]) -> None:
        self.keys = keys
        self.objects = objects
        self.client_challenge = self.challenge = b""
        self.is_proven = False

    def __call__(self, frame: bytes) -> bytes:
        """The answer to a frame."""
        version, source, destination, length = WRAPPER.unpack_from(frame)
        if version != 1 or length + 8 != len(frame):
            raise Denied("wrapper")
        answer = self.answer(frame[8:])
        return WRAPPER.pack(1, destination, source, len(answer)) + answer

    def answer(self, apdu: bytes) -> bytes:
        tag = apdu[0]
        if tag == 0x60:
            return self.aare(apdu)
        if tag == 0x62:
            self.is_proven = False
            return b"\x63\x03\x80\x01\x00"
        plain = self.service(self.keys.open(apdu))
        return self.keys.seal(GLO[plain[0]], plain)

    def aare(self, apdu: bytes) -> bytes:
        found = fields(apdu, after_length(apdu, 1))
        keys = self.keys
        information = found[0xBE]
        if found[0xA1][2:] != CONTEXT_CIPHERED or found[0x8B] != MECHANISM_GMAC:
            raise Denied("mechanism")
        keys.peer, keys.peer_counter = found[0xA6][2:], -1
        plain = keys.open(information[after_length(information, 1) :])
        if plain[:9] != b"\x01\x00\x00\x00\x06\x5f\x1f\x04\x00":
            raise Denied("initiate")
        conformance = (int.from_bytes(plain[9:12], "big") & int.from_bytes(CONFORMANCE, "big")).to_bytes(3, "big")
        initiate = keys.seal(0x28, b"\x08\x00\x06\x5f\x1f\x04\x00" + conformance + b"\xff\xff\x00\x07")
        self.client_challenge, self.challenge = found[0xAC][2:], os.urandom(16)
        body = b"".join(
            (
                b"\xa1\x09\x06\x07" + CONTEXT_CIPHERED + b"\xa2\x03\x02\x01\x00\xa3\x05\xa1\x03\x02\x01\x0e",
                b"\xa4\x0a\x04\x08" + keys.title,
                b"\x88\x02\x07\x80\x89\x07" + MECHANISM_GMAC + b"\xaa\x12\x80\x10" + self.challenge,
                b"\xbe" + length_of(len(initiate) + 2) + b"\x04" + length_of(len(initiate)) + initiate,
            )
        )
        return b"\x61" + length_of(len(body)) + body

    def service(self, plain: bytes) -> bytes:
        tag, _, invoke, class_id, name, member, _ = REQUEST.unpack_from(plain)
        if tag == 0xC0 and self.is_proven:
            return bytes((0xC4, 1, invoke, 0)) + self.objects[class_id, name, member]
        if tag == 0xC3 and class_id == 15 and self.keys.is_proof(plain[15:], self.challenge):
            self.is_proven = True
            proof = self.keys.proof(self.client_challenge)
            return bytes((0xC7, 1, invoke, 0, 1, 0, 9, len(proof))) + proof
        raise Denied("service")


FORMATS = {3: "?", 5: "i", 6: "I", 15: "b", 16: "h", 17: "B", 18: "H", 20: "q", 21: "Q", 22: "B"}


def decode_rows(octets: bytes) -> list[tuple[object, ...]]:
    """The rows of an array of structures of one layout: learnt from the first row, checked in all by slices."""
    count, start = read_length(octets, 1)
    columns, offset = read_length(octets, start + 1)
    if octets[0] != 1 or octets[start] != 2:
        raise Denied("rows")
    layout, skeleton, padding = [">"], list(range(start, offset)), offset - start
    for _ in range(columns):
        tag = octets[offset]
        length, begin, code = 0, offset + 1, FORMATS.get(tag, "")
        if tag == 9:
            length, begin = read_length(octets, offset + 1)
            code = f"{length}s"
        skeleton += range(offset, begin)
        layout.append(f"{padding + begin - offset}x{code}")
        padding = 0
        offset = begin + struct.calcsize(">" + code)
    width = offset - start
    if start + count * width != len(octets):
        raise Denied("rows")
    for position in skeleton:
        if octets[position::width] != octets[position : position + 1] * count:
            raise Denied("rows")
    return list(struct.iter_unpack("".join(layout), memoryview(octets)[start:]))


def run(
    client: Client, serve: Callable[[bytes], bytes], register: bytes, profile: bytes
) -> tuple[int, list[tuple[object, ...]]]:
    """One whole session by direct hand-off."""
    session = client.session(register, profile)
    try:
        frame = next(session)
        while True:
            frame = session.send(serve(frame))
    except StopIteration as ended:
        result: tuple[int, list[tuple[object, ...]]] = ended.value
        return result
