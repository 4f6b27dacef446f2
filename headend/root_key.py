"""The head-end's root key: what keeps the meters' keys unreadable in the database and in its copies.

An age identity (X25519) in a file of its own, which only its owner may read; on a server a systemd credential. What is
sealed can be opened with this file alone: whoever keeps copies of the database keeps this file elsewhere, and keeps it.
Imported by `courier_keys` and `setup`.
"""

import stat
from pathlib import Path

from pyrage import DecryptError, IdentityError, decrypt, encrypt, x25519

from dlms_objects.errors import LocalError
from dlms_objects.program_folder import write_new


class RootKeyError(LocalError):
    """The root key cannot be read, is not private, or is not the one with which something was sealed."""


class RootKey:
    """Seals for itself, and opens what it sealed."""

    def __init__(self, identity: x25519.Identity) -> None:
        """Take an identity; `load` reads one."""
        self._identity = identity

    @classmethod
    def load(cls, path: Path) -> "RootKey":
        """Read the identity in a file; RootKeyError says what is wrong, never what is in it."""
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
            text = path.read_text()
        except FileNotFoundError:
            raise RootKeyError(
                f"{path}: there is no root key; put back the file that `headend init` made, or make one with age-keygen"
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise RootKeyError(
                f"{path}: cannot read the root key: {getattr(error, 'strerror', None) or 'not text'}"
            ) from None
        if mode & 0o077:
            raise RootKeyError(f"{path}: others may read the root key; make it private (chmod 600)")
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        try:
            (line,) = lines
            return cls(x25519.Identity.from_str(line))
        except (ValueError, IdentityError):
            raise RootKeyError(f"{path}: not an age identity (one line AGE-SECRET-KEY-1...)") from None

    def seal(self, secret: bytes) -> bytes:
        """What only this key opens."""
        return bytes(encrypt(secret, [self._identity.to_public()]))

    def open(self, sealed: bytes) -> bytes:
        """What was sealed; RootKeyError when it was sealed with another key, or is damaged."""
        try:
            return bytes(decrypt(sealed, [self._identity]))
        except DecryptError:
            raise RootKeyError("a key in the database was not sealed with this root key, or is damaged") from None


def create(path: Path) -> None:
    """Write a fresh root key that only its owner may read; an existing file is never overwritten."""
    write_new(path, f"{x25519.Identity.generate()}\n", mode=0o600)
