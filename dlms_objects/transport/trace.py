"""A trace of one session: every frame with its time, direction, octets and a line of words, as it passes.

Keys, passwords and proofs made from them never stand in it (`redaction`), and the plaintext of ciphered APDUs only
where it was asked for. XML and better names come from the `gurux_bridge`, which the caller hands in. A trace never
raises on what travels. `client` calls it, the command line makes it.

    2026-03-01T04:00:00.125Z > 1>1 glo-get-request (C8), system title 4D50…, security control 30, counter 7, 30 octets
        000100010001002DC81E30…
        plain get-request-normal #1, Purse.balance 0.0.128.0.0.255
        C001C1…
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dlms_objects.errors import InvalidValueError, RemoteError
from dlms_objects.transport.apdu_words import Naming, declared_name, octets_in_words
from dlms_objects.transport.plaintext import Envelope, is_dedicated, opened
from dlms_objects.transport.redaction import Ranges, Redactor, redacted, redacted_hex
from dlms_objects.wire.acse import AARE, AARQ, Aare, Aarq
from dlms_objects.wire.apdu import decode_apdu
from dlms_objects.wire.initiate import InitiateRequest
from dlms_objects.wire.parameters import ClientParameters
from dlms_objects.wire.wrapper import Frame, Wrapper, encode_frame

if TYPE_CHECKING:
    from dlms_objects.wire.cipher_keys import CipherKeys

SENT, RECEIVED = ">", "<"

_INDENT = "    "
_UTC_SUFFIX = "+00:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceOptions:
    """How much a trace shows: `naming` of attributes and methods, `xml` of an APDU (None: no XML), plaintext or not."""

    naming: Naming = declared_name
    xml: Callable[[bytes], str] | None = None
    with_plaintext: bool = False


class Trace:
    """The trace of one connection; `write` takes whole lines, each with its line end."""

    def __init__(self, write: Callable[[str], object], parameters: ClientParameters, options: TraceOptions) -> None:
        """Of a client with those parameters: its secrets are known, and taken out."""
        self._write = write
        self._options = options
        self._keys = None if parameters.security is None else parameters.security.keys
        self._dedicated_keys: CipherKeys | None = None
        self._redactor = Redactor.of_client(parameters)
        self._lines = {SENT: _Line(), RECEIVED: _Line()}

    def sent(self, octets: bytes, now: datetime) -> None:
        """We put octets on the line; `now` is aware."""
        self._take(SENT, octets, now)

    def received(self, octets: bytes, now: datetime) -> None:
        """Octets came, cut anywhere."""
        self._take(RECEIVED, octets, now)

    def closed(self, now: datetime) -> None:
        """The connection is gone: what was left of a frame is told."""
        for direction, line in self._lines.items():
            if line.held:
                self._head(direction, now, f"the connection ended {len(line.held)} octets into a frame")

    def _take(self, direction: str, octets: bytes, now: datetime) -> None:
        line = self._lines[direction]
        if not octets:
            return
        if not line.is_framed:
            self._raw(direction, octets, now)
            return
        line.held += octets
        try:
            for frame in line.wrapper.receive(octets):
                framed = encode_frame(frame.source, frame.destination, frame.apdu)
                line.held = line.held[len(framed) :]
                self._frame(direction, frame, framed, now)
        except RemoteError:
            line.is_framed = False
            self._raw(direction, line.held, now)
            line.held = b""

    def _frame(self, direction: str, frame: Frame, framed: bytes, now: datetime) -> None:
        line = self._lines[direction]
        line.learn_title(frame.apdu)
        ranges = self._redactor.ranges_of(frame.apdu)
        shown = redacted(frame.apdu, ranges)
        words = octets_in_words(shown, self._options.naming, line.title)
        self._head(direction, now, f"{frame.source}>{frame.destination} {words}")
        header = framed[: len(framed) - len(frame.apdu)].hex().upper()
        self._body(header + redacted_hex(frame.apdu, ranges), shown)
        self._plaintext(frame.apdu, line.title)

    def _plaintext(self, apdu: bytes, title: bytes | None) -> None:
        """What is inside a ciphered APDU, where that was asked for."""
        envelope = _envelope_in(apdu) if self._options.with_plaintext else None
        if envelope is None:
            return
        keys = self._dedicated_keys if is_dedicated(envelope) else self._keys
        found = None if keys is None else opened(envelope, keys, title)
        if found is None:
            self._write(f"{_INDENT}plain: not to be opened with the keys of this client\n")
            return
        plain, is_genuine = found
        if not is_genuine:
            self._write(f"{_INDENT}plain: the tag is not genuine, so what is inside means nothing\n")
            return
        self._learn_dedicated_key(plain)
        ranges = self._redactor.ranges_of(plain)
        shown = redacted(plain, ranges)
        self._write(f"{_INDENT}plain {_one_line(octets_in_words(shown, self._options.naming))}\n")
        self._body(redacted_hex(plain, ranges), shown)

    def _learn_dedicated_key(self, plain: bytes) -> None:
        """The key that the services of this association are ciphered with, where the client proposes one."""
        initiate = _decoded(plain)
        key = initiate.dedicated_key if isinstance(initiate, InitiateRequest) else None
        if key is not None and self._keys is not None:
            self._redactor.hide(key)
            try:
                self._dedicated_keys = self._keys.for_dedicated(key)
            except InvalidValueError:
                self._dedicated_keys = None

    def _raw(self, direction: str, octets: bytes, now: datetime) -> None:
        """Octets that are not in frames."""
        ranges: Ranges = self._redactor.ranges_of(octets)
        self._head(direction, now, f"not a wrapper frame, {len(octets)} octets")
        self._write(f"{_INDENT}{redacted_hex(octets, ranges)}\n")

    def _head(self, direction: str, now: datetime, words: str) -> None:
        time = now.astimezone(UTC).isoformat(timespec="milliseconds").replace(_UTC_SUFFIX, "Z")
        self._write(f"{time} {direction} {_one_line(words)}\n")

    def _body(self, hexadecimal: str, shown: bytes) -> None:
        self._write(f"{_INDENT}{hexadecimal}\n")
        if self._options.xml is not None:
            for line in self._options.xml(shown).splitlines():
                self._write(f"{_INDENT}{line}\n")


class _Line:
    """One direction: its frames, and the system title of who sends on it."""

    def __init__(self) -> None:
        self.wrapper = Wrapper()
        self.held = b""
        self.is_framed = True
        self.title: bytes | None = None

    def learn_title(self, apdu: bytes) -> None:
        if apdu[:1] not in (bytes((AARQ,)), bytes((AARE,))):
            return
        opening = _decoded(apdu)
        if isinstance(opening, Aarq):
            self.title = opening.calling_ap_title
        elif isinstance(opening, Aare):
            self.title = opening.responding_ap_title


def _envelope_in(apdu: bytes) -> Envelope | None:
    """The ciphered APDU that this is, or that opens an association."""
    found = _decoded(apdu)
    if isinstance(found, Aarq | Aare) and found.user_information is not None:
        found = _decoded(found.user_information)
    return found if isinstance(found, Envelope) else None


def _decoded(octets: bytes) -> object:
    try:
        return decode_apdu(octets)
    except (RemoteError, InvalidValueError):
        return None


def _one_line(words: str) -> str:
    """Words of a peer in which nothing moves the cursor or begins a line."""
    return "".join(character if character.isprintable() else "�" for character in words)
