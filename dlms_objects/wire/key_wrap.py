"""Key wrap of RFC 3394: how a replacement key travels, enciphered with the master key (KEK).

Imported by who sends keys and by who takes them; the keys and the wrapped keys are secrets of the caller.
"""

from cryptography.hazmat.primitives import keywrap

from dlms_objects.errors import InvalidValueError, RemoteError

_KEY_OCTETS = (16, 32)
_CHECK_OCTETS = 8


class KeyUnwrapError(RemoteError):
    """A wrapped key was refused; the text is the same for every cause."""

    def __init__(self) -> None:
        """The one message."""
        super().__init__("a wrapped key was refused")


def wrap_key(master_key: bytes, key: bytes) -> bytes:
    """The key, enciphered: 8 octets longer. InvalidValueError unless both keys are of the same suite's length."""
    if len(master_key) not in _KEY_OCTETS or len(key) != len(master_key):
        raise InvalidValueError("a master key and the key it wraps are both 16 octets, or both 32")
    return keywrap.aes_key_wrap(master_key, key)


def unwrap_key(master_key: bytes, wrapped: bytes) -> bytes:
    """The key inside, as long as the master key; KeyUnwrapError unless it is whole and of that master key.

    InvalidValueError when the master key itself is none.
    """
    if len(master_key) not in _KEY_OCTETS:
        raise InvalidValueError("a master key is 16 or 32 octets")
    if len(wrapped) != len(master_key) + _CHECK_OCTETS:
        raise KeyUnwrapError
    try:
        return keywrap.aes_key_unwrap(master_key, wrapped)
    except keywrap.InvalidUnwrap:
        raise KeyUnwrapError from None
