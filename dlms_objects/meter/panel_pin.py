"""The PIN of the front panel: its hash in a file of its own, and the keeper that counts wrong ones.

The first FREE_FAILURES wrong PINs cost nothing; each further one closes the panel's entry for twice as long, up to
LONGEST_LOCK_S. An attempt is counted durably before it is tried, so neither a power cut nor a restart gives one more;
the right PIN takes the count back. Time here is real seconds since 1970: the meter's own clock may be set.
"""

import hashlib
import hmac
import re
import secrets
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.store import MeterStore
from dlms_objects.program_folder import sync_to_disk, write_new

PIN_NAME: Final = "panel.pin"
FREE_FAILURES: Final = 3
FIRST_LOCK_S: Final = 30
LONGEST_LOCK_S: Final = 3600

_SALT_OCTETS = 16
_HASH_OCTETS = 32
_COST = {"n": 2**14, "r": 8, "p": 1}
_LINE = re.compile(rf"scrypt-14-8-1 ([0-9a-f]{{{2 * _SALT_OCTETS}}}) ([0-9a-f]{{{2 * _HASH_OCTETS}}})\n?")
_KEPT_AS = "panel/pin_failures"
_KEPT = struct.Struct(f">{_SALT_OCTETS}sId")  # whose PIN, how many in a row, when the last (real seconds)


@dataclass(frozen=True, slots=True)
class PinHash:
    """A PIN's salt and scrypt hash; the PIN itself is kept nowhere."""

    salt: bytes
    octets: bytes

    @classmethod
    def of(cls, pin: str) -> Self:
        """Of a new PIN, with a random salt; InvalidValueError unless it is 6 to 12 digits."""
        if re.fullmatch(r"[0-9]{6,12}", pin) is None:
            raise InvalidValueError("a PIN is 6 to 12 digits")
        salt = secrets.token_bytes(_SALT_OCTETS)
        return cls(salt, _scrypt(pin, salt))

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """From its file; None where there is no file. InvalidValueError when it holds no hash; OSError."""
        try:
            match = _LINE.fullmatch(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            match = None
        if match is None:
            raise InvalidValueError(f"{path}: no PIN of a front panel; set one with: meterpurse meter panel-pin")
        return cls(bytes.fromhex(match[1]), bytes.fromhex(match[2]))

    def save(self, path: Path) -> None:
        """Put it in place of the file's, durably; only the owner may read it. OSError."""
        draft = path.with_name(f"{path.name}.new")
        draft.unlink(missing_ok=True)
        write_new(draft, f"scrypt-14-8-1 {self.salt.hex()} {self.octets.hex()}\n", mode=0o600)
        draft.rename(path)
        sync_to_disk(path.parent)

    def matches(self, pin: str) -> bool:
        """Whether it is the hash of that PIN; how long it takes does not tell how much of it is right."""
        return hmac.compare_digest(_scrypt(pin, self.salt), self.octets)


class PinKeeper:
    """Tries PINs against one hash, and counts what failed in the meter's store."""

    def __init__(self, pin: PinHash | None, store: MeterStore) -> None:
        """`pin` None: no PIN is right. StorageError when the count cannot be read."""
        self._pin = pin
        self._store = store
        self._failures, self._last_s = 0, 0.0
        kept = store.kept(_KEPT_AS)
        if pin is not None and kept is not None and len(kept) == _KEPT.size:
            salt, failures, last_s = _KEPT.unpack(kept)
            if salt == pin.salt:
                self._failures, self._last_s = failures, last_s

    @property
    def has_pin(self) -> bool:
        """Whether there is a PIN at all."""
        return self._pin is not None

    def locked_s(self, real_s: float) -> int:
        """For how many seconds more no PIN is tried; 0: one may be."""
        beyond = self._failures - FREE_FAILURES
        if beyond <= 0:
            return 0
        self._last_s = min(self._last_s, real_s)  # where the host's clock went back the lock does not last for years
        lock_s = min(FIRST_LOCK_S * 2 ** min(beyond - 1, 16), LONGEST_LOCK_S)
        return max(0, int(self._last_s + lock_s - real_s + 0.999))

    def is_right(self, pin: str, real_s: float) -> bool:
        """Try a PIN; False as well while locked or without a PIN. StorageError: not tried, for it cannot be counted."""
        if self._pin is None or self.locked_s(real_s):
            return False
        failures = self._failures
        self._count(self._pin, min(failures + 1, 2**32 - 1), real_s)
        if not self._pin.matches(pin):
            return False
        self._count(self._pin, 0, real_s)
        return True

    def _count(self, pin: PinHash, failures: int, real_s: float) -> None:
        self._store.keep({_KEPT_AS: _KEPT.pack(pin.salt, failures, real_s)}, [])
        self._failures, self._last_s = failures, real_s


def _scrypt(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, dklen=_HASH_OCTETS, **_COST)
