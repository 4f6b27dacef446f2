"""The head-end's side of the courier, written from the object model alone: AES-GCM of `cryptography`, octets by hand.

It shares no code with the meter's sealing and parsing, so that a mistake cannot cancel itself out. It keeps what a
head-end keeps: the highest counter of each meter, the last row it holds, its own invocation counter.
"""

import hashlib
import struct
import tomllib
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

TAG_OCTETS = 12
CONTROL = 0x30  # suite 0, authenticated and encrypted
ROW_OCTETS = 98
PURSE = bytes.fromhex("4e85 0000800000ff")  # class 20101, 0.0.128.0.0.255
TOP_UP, ACKNOWLEDGE = 1, 4
DONE, REPEATED = 0, 1


class Refused(Exception):
    """The head-end does not believe what the courier brought; nothing of it was taken."""


@dataclass
class Answer:
    """An opened answer: the action-result, and the octets of the value where there is one."""

    result: int
    value: bytes


class CourierHeadEnd:
    """One head-end and one of its meters."""

    def __init__(self, keys: Path) -> None:
        """Take the key file that `meterpurse meter init` wrote."""
        table = tomllib.loads(keys.read_text())
        self.meter = bytes.fromhex(table["system_title"])
        self.title = bytes.fromhex(table["head_end_system_title"])
        self.key = bytes.fromhex(table["global_unicast_encryption_key"])
        self.authentication_key = bytes.fromhex(table["authentication_key"])
        self.counter = 0  # of what we seal
        self.received = -1  # the highest of the meter
        self.sequence, self.digest = 0, hashlib.sha256(self.meter).digest()[:16]
        self.balance = 0
        self.rows: list[bytes] = []

    def take(self, batch: bytes) -> int:
        """Open a batch and keep its new rows; how many they are. Refused leaves everything as it was.

        A batch that came before is replay and refused; who fetched it twice loses nothing, it is here already.
        """
        counter, plain = self._open(batch)
        if plain[:6] != b"\x0f\x00\x00\x00\x00\x0c" or plain[18:21] != b"\x02\x02\x01":
            raise Refused("not a data-notification of two members with a time")
        count, at = plain[21], 22
        if count & 0x80:
            count, at = plain[22], 23
            if plain[21] != 0x81:
                raise Refused("more rows than a batch can have")
        rows = [plain[at + n * ROW_OCTETS : at + (n + 1) * ROW_OCTETS] for n in range(count)]
        tail = plain[at + count * ROW_OCTETS :]
        if len(tail) != 25 or tail[:3] != b"\x02\x02\x06" or tail[7:9] != b"\x09\x10":
            raise Refused("no journal head")
        new = self._chained(rows, int.from_bytes(tail[3:7], "big"), tail[9:])
        self.received = counter
        self.rows += new
        if new:
            self.sequence, self.digest, self.balance = _figures(new[-1])
        return len(new)

    def acknowledge(self) -> bytes:
        """The sealed instruction that acknowledges what is kept."""
        parameters = b"\x02\x02\x06" + self.sequence.to_bytes(4, "big") + b"\x09\x10" + self.digest
        return self.instruct(ACKNOWLEDGE, parameters)

    def top_up(self, number: int, amount: int) -> bytes:
        """The sealed instruction that tops up under the transaction id of that number."""
        parameters = b"\x02\x02\x09\x10" + number.to_bytes(16, "big") + b"\x14" + struct.pack(">q", amount)
        return self.instruct(TOP_UP, parameters)

    def instruct(self, method: int, parameters: bytes, target: bytes = PURSE) -> bytes:
        """A sealed action-request for any method of any object."""
        return self.seal(b"\xc3\x01\xc1" + target + bytes((method, 1)) + parameters)

    def read(self, answer: bytes) -> Answer:
        """Open the sealed answer to an instruction."""
        counter, plain = self._open(answer)
        if plain[:2] != b"\xc7\x01":
            raise Refused("not an action-response")
        self.received = counter
        return Answer(plain[3], plain[6:] if plain[4] else b"")

    def seal(self, plain: bytes, *, title: bytes | None = None, counter: int | None = None) -> bytes:
        """A general-glo-ciphering of ours; a wrong title or counter where a test wants one."""
        if counter is None:
            self.counter += 1
            counter = self.counter
        title = self.title if title is None else title
        head = counter.to_bytes(4, "big")
        cipher = Cipher(algorithms.AES(self.key), modes.GCM(title + head)).encryptor()
        cipher.authenticate_additional_data(bytes((CONTROL,)) + self.authentication_key)
        body = cipher.update(plain) + cipher.finalize()
        content = bytes((CONTROL,)) + head + body + cipher.tag[:TAG_OCTETS]
        return b"\xdb\x08" + title + _length(len(content)) + content

    def _open(self, sealed: bytes) -> tuple[int, bytes]:
        """The counter and the plain APDU; only what this meter sealed, in the one form it has, and not yet seen."""
        if sealed[:2] != b"\xdb\x08" or sealed[2:10] != self.meter:
            raise Refused("not a general-glo-ciphering of this meter")
        content = sealed[10:]
        for octets in (1, 2, 3):
            if len(content) > octets and content[:octets] == _length(len(content) - octets):
                content = content[octets:]
                break
        else:
            raise Refused("the length is not that of what follows")
        if len(content) < 5 + TAG_OCTETS or content[0] != CONTROL:
            raise Refused("not authenticated and encrypted")
        tag = content[-TAG_OCTETS:]
        cipher = Cipher(
            algorithms.AES(self.key), modes.GCM(self.meter + content[1:5], tag, min_tag_length=TAG_OCTETS)
        ).decryptor()
        cipher.authenticate_additional_data(content[:1] + self.authentication_key)
        try:
            plain = cipher.update(content[5:-TAG_OCTETS]) + cipher.finalize()
        except InvalidTag:
            raise Refused("the tag is wrong") from None
        counter = int.from_bytes(content[1:5], "big")
        if counter <= self.received:
            raise Refused("replay")
        return counter, plain

    def _chained(self, rows: list[bytes], head_sequence: int, head_digest: bytes) -> list[bytes]:
        """The rows that are new here, once all of them continue what is kept, to the head where they reach it."""
        new = [row for row in rows if _figures(row)[0] > self.sequence]
        sequence, digest, balance = self.sequence, self.digest, self.balance
        for row in rows:
            if row not in new and row not in self.rows:
                raise Refused("a row that is kept here reads otherwise")
        for row in new:
            found, own, after = _figures(row)
            digest = hashlib.sha256(digest + b"\x02\x09" + row[2:80]).digest()[:16]
            balance += int.from_bytes(row[40:48], "big", signed=True)
            if (found, own, after) != (sequence + 1, digest, balance):
                raise Refused("the rows do not continue the journal")
            sequence = found
        if head_sequence < sequence or (head_sequence == sequence and head_digest != digest):
            raise Refused("the journal head is not that of the rows")
        return new


def _figures(row: bytes) -> tuple[int, bytes, int]:
    """Sequence, digest and balance of a row, by its fixed places."""
    return int.from_bytes(row[17:21], "big"), row[82:98], int.from_bytes(row[49:57], "big", signed=True)


def _length(octets: int) -> bytes:
    if octets < 0x80:
        return bytes((octets,))
    return bytes((0x81, octets)) if octets < 0x100 else b"\x82" + octets.to_bytes(2, "big")
