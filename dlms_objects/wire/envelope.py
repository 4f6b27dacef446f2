"""In which envelope ciphered APDUs travel: service-specific or general, under the global or the dedicated key.

Imported by the engines: a client chooses one, a server answers in the one the request came in.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from dlms_objects.wire.ciphered import DED_TAGS, GENERAL_DED_CIPHERING, GENERAL_GLO_CIPHERING, GLO_TAGS

_NONE: Final[Mapping[int, int]] = {}


class Envelope(Enum):
    """One of the four; what has no service-specific ciphering travels in the general one of the same key."""

    GLO = (GLO_TAGS, GENERAL_GLO_CIPHERING)
    GENERAL_GLO = (_NONE, GENERAL_GLO_CIPHERING)
    DED = (DED_TAGS, GENERAL_DED_CIPHERING)
    GENERAL_DED = (_NONE, GENERAL_DED_CIPHERING)

    def __init__(self, specific: Mapping[int, int], general: int) -> None:
        """The service-specific tags by the tag of the plain APDU, and the general tag."""
        self._specific = specific
        self.general_tag = general

    @property
    def is_general(self) -> bool:
        """Whether every APDU travels in the general ciphering."""
        return not self._specific

    @property
    def dedicated(self) -> "Envelope":
        """The same under the dedicated key."""
        return Envelope.GENERAL_DED if self.is_general else Envelope.DED

    def tag(self, service: int) -> int:
        """The outer tag of a ciphered APDU whose plain form has the tag `service`."""
        return self._specific.get(service, self.general_tag)


def envelope_of(tag: int) -> Envelope:
    """The envelope of what came with that outer tag; what came plain is answered service-specific, global key."""
    return _ENVELOPES.get(tag, Envelope.GLO)


_ENVELOPES: Final[Mapping[int, Envelope]] = {
    **{tag: Envelope.GLO for tag in GLO_TAGS.values()},
    **{tag: Envelope.DED for tag in DED_TAGS.values()},
    GENERAL_GLO_CIPHERING: Envelope.GENERAL_GLO,
    GENERAL_DED_CIPHERING: Envelope.GENERAL_DED,
}
