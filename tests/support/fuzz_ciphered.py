"""Ciphered APDUs under fire: what is genuine is opened once, everything else is refused and changes nothing.

Imported by `fuzz_targets`.
"""

from random import Random

from dlms_objects.wire.apdu import decode_apdu
from dlms_objects.wire.ciphered import DED_TAGS, GENERAL_DED_CIPHERING, GENERAL_GLO_CIPHERING, GLO_TAGS
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.security import BoundContext, DecryptionError, ReplayError
from tests.support.associations import METER
from tests.support.contexts import receiver, sender, stored, with_dedicated

LARGEST_COUNTER = 2**32 - 2
REFUSED = (DecryptionError, MalformedError)

_genuine: dict[bytes, tuple[bytes, int, bool]] = {}


def sealed(dice: Random) -> bytes:
    """A ciphered APDU of the gateway in one of the four envelopes, whose plain content is remembered."""
    first = dice.choice((0, 1, LARGEST_COUNTER, dice.randrange(LARGEST_COUNTER)))
    service = dice.choice(sorted(GLO_TAGS))
    plain = bytes((service,)) + dice.randbytes(dice.choice((0, 1, 30, 113, 300)))
    is_dedicated = dice.random() < 0.3
    tags, general = (DED_TAGS, GENERAL_DED_CIPHERING) if is_dedicated else (GLO_TAGS, GENERAL_GLO_CIPHERING)
    tag = general if dice.random() < 0.4 else tags[service]
    octets = with_dedicated(sender(first=first).bound_to(METER)).protect(tag, plain)
    _genuine[octets] = plain, first, is_dedicated
    return octets


def feed_ciphered(octets: bytes) -> None:
    """Genuine octets are opened, once; no others are. The envelope is read and written again as it came."""
    meter = with_dedicated(receiver())
    try:
        plain = meter.unprotect(octets)
    except DecryptionError:
        assert octets not in _genuine, "what is genuine is refused"
        assert stored(meter) is None, "a refused frame moved the counter"
        _read_envelope(octets)
        raise
    assert octets in _genuine, "what nobody sealed is opened"
    wanted, counter, is_dedicated = _genuine[octets]
    assert plain == wanted, "it opens to something else"
    assert stored(meter) == (None if is_dedicated else counter), "the counter is another"
    _read_envelope(octets)
    assert _is_replay(meter, octets), "it is opened twice"


def _is_replay(meter: BoundContext, octets: bytes) -> bool:
    try:
        meter.unprotect(octets)
    except ReplayError:
        return True
    return False


def _read_envelope(octets: bytes) -> None:
    try:
        envelope = decode_apdu(octets)
    except MalformedError:
        return
    assert repr(decode_apdu(envelope.encode())) == repr(envelope), "it reads otherwise the second time"
