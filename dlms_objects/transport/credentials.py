"""Credentials: the key file with which one client may open one association of one meter, and that of the master key.

`meterpurse meter init` writes one file per association, one with the master key, which wraps keys that replace
others, and one with the courier's keys, which are the head-end's; `meterpurse fleet init` writes one per association
with the keys of all its meters, a key ring. The gateway, the head-end and the command line read them. Keys are never
shown: not in repr, not in errors.
"""

import stat
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from dlms_objects.errors import InvalidValueError, LocalError
from dlms_objects.program_folder import did_you_mean, write_new
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.cipher_keys import CipherKeys, key_name

KEY_LENGTH = 16
SHORTEST_SECRET, LONGEST_SECRET = 8, 64
LARGEST_SAP = 65535
EXAMPLE_KEYS = (bytes(range(0x10)), bytes(range(0xD0, 0xE0)))

_MEMBERS = ("system_title", "client_sap", "server_sap", "global_unicast_encryption_key", "authentication_key")
_SECRET_MEMBERS = ("system_title", "client_sap", "server_sap", "secret")
_MASTER_MEMBERS = ("system_title", "master_key")
_COURIER_MEMBERS = ("system_title", "head_end_system_title", "global_unicast_encryption_key", "authentication_key")
_RING = "meter"  # the name of a ring's tables, each with the members of a key file

T = TypeVar("T")


class CredentialsError(LocalError):
    """A key file is missing, unreadable or wrong; the text says which file, what, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterCredentials:
    """The keys of one association: the meter's system title, the two SAPs, two 16-octet keys."""

    system_title: SystemTitle
    client_sap: int
    server_sap: int
    encryption_key: bytes = field(repr=False)
    authentication_key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse keys of a wrong length, equal keys, and the well-known example keys (InvalidValueError)."""
        _check_pair(self.encryption_key, self.authentication_key)

    @property
    def key_id(self) -> str:
        """What this client's counters are kept under: meter, SAP and the key's name; a new key has new counters."""
        return f"{self.system_title}/{self.client_sap}/{key_name(self.encryption_key)}"

    def cipher_keys(self) -> CipherKeys:
        """The keys as the wire uses them."""
        return CipherKeys(global_unicast_encryption_key=self.encryption_key, authentication_key=self.authentication_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretCredentials:
    """What low-level security needs: the meter's system title, the two SAPs, the secret of 8..64 octets.

    Nothing is ciphered with it, and the meter does not prove itself: it is for a line in nobody else's hands.
    """

    system_title: SystemTitle
    client_sap: int
    server_sap: int
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a secret of a wrong length, and the well-known example keys (InvalidValueError)."""
        check_secret(self.secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterKey:
    """The key (KEK) that wraps every replacement of a key of one meter: the meter's system title, 16 octets."""

    system_title: SystemTitle
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a key of a wrong length, and the well-known example keys (InvalidValueError)."""
        _check_key("master", self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierCredentials:
    """The keys with which one meter and its head-end seal what couriers carry: both titles, two 16-octet keys."""

    system_title: SystemTitle
    head_end_title: SystemTitle
    encryption_key: bytes = field(repr=False)
    authentication_key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse keys as MeterCredentials does, and one title for both ends (InvalidValueError)."""
        _check_pair(self.encryption_key, self.authentication_key)
        if self.system_title == self.head_end_title:
            raise InvalidValueError("the head-end has the meter's own system title")

    def cipher_keys(self) -> CipherKeys:
        """The keys as the wire uses them."""
        return CipherKeys(global_unicast_encryption_key=self.encryption_key, authentication_key=self.authentication_key)


def load_credentials(path: Path) -> MeterCredentials:
    """Read a key file; CredentialsError names the file and what is wrong with it, never a key."""
    return _made(path, _read(path), _MEMBERS, _credentials)


def load_client_credentials(path: Path) -> MeterCredentials | SecretCredentials:
    """Read the file of keys or of a secret, whichever it is; CredentialsError as `load_credentials`."""
    table = _read(path)
    if "secret" not in table:
        return _made(path, table, _MEMBERS, _credentials)
    return _made(
        path,
        table,
        _SECRET_MEMBERS,
        lambda told: SecretCredentials(
            system_title=_title(told["system_title"]),
            client_sap=_sap("client_sap", told["client_sap"]),
            server_sap=_sap("server_sap", told["server_sap"]),
            secret=_secret(told["secret"]),
        ),
    )


class KeyFiles:
    """Key files and key rings, each read once however many meters are looked up in it."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._tables: dict[Path, dict[str, Any]] = {}
        self._rings: dict[Path, dict[SystemTitle, MeterCredentials]] = {}

    def credentials(self, path: Path, title: SystemTitle) -> MeterCredentials:
        """The credentials of that meter in a ring, or those that a key file holds, whose title the caller compares.

        CredentialsError names the file and what is wrong with it, never a key.
        """
        if path not in self._tables:
            self._tables[path] = _read(path)
        table = self._tables[path]
        if set(table) != {_RING}:
            return _made(path, table, _MEMBERS, _credentials)
        if path not in self._rings:
            made = [_made(path, of_one, _MEMBERS, _credentials) for of_one in _ring(path, table)]
            self._rings[path] = {credentials.system_title: credentials for credentials in made}
        found = self._rings[path].get(title)
        if found is None:
            raise CredentialsError(f"{path}: a key ring without keys of {title}")
        return found


def load_master_key(path: Path) -> MasterKey:
    """Read the file of a master key; CredentialsError names the file and what is wrong with it, never a key."""
    return _made(
        path,
        _read(path),
        _MASTER_MEMBERS,
        lambda table: MasterKey(
            system_title=_title(table["system_title"]), key=_key("master_key", table["master_key"])
        ),
    )


def load_replaceable_keys(path: Path) -> MeterCredentials | MasterKey:
    """Read a file of an association's keys or of a master key, whichever it is; CredentialsError as both."""
    return load_master_key(path) if "master_key" in _read(path) else load_credentials(path)


def load_courier_credentials(path: Path) -> CourierCredentials:
    """Read the file of a courier's keys; CredentialsError names the file and what is wrong with it, never a key."""
    return _made(
        path,
        _read(path),
        _COURIER_MEMBERS,
        lambda table: CourierCredentials(
            system_title=_title(table["system_title"]),
            head_end_title=_title(table["head_end_system_title"]),
            encryption_key=_key("global_unicast_encryption_key", table["global_unicast_encryption_key"]),
            authentication_key=_key("authentication_key", table["authentication_key"]),
        ),
    )


def save_credentials(path: Path, credentials: MeterCredentials) -> None:
    """Write a key file that only its owner may read, synced to disk; an existing file is never overwritten."""
    write_new(path, _text(credentials), mode=0o600)


def save_secret(path: Path, credentials: SecretCredentials) -> None:
    """Write the file of a secret as `save_credentials` writes one of keys."""
    write_new(path, f'{_address_lines(credentials)}secret = "{credentials.secret.hex()}"\n', mode=0o600)


def save_key_ring(path: Path, ring: Iterable[MeterCredentials]) -> None:
    """Write the keys of many meters into one file, as `save_credentials` writes those of one."""
    text = "".join(f"[[{_RING}]]\n{_text(credentials)}\n" for credentials in ring)
    write_new(path, text, mode=0o600)


def save_master_key(path: Path, master: MasterKey) -> None:
    """Write the file of a master key as `save_credentials` writes one."""
    text = f'system_title = "{master.system_title}"\nmaster_key = "{master.key.hex()}"\n'
    write_new(path, text, mode=0o600)


def save_courier_credentials(path: Path, credentials: CourierCredentials) -> None:
    """Write the file of a courier's keys as `save_credentials` writes one."""
    write_new(
        path,
        f'system_title = "{credentials.system_title}"\n'
        f'head_end_system_title = "{credentials.head_end_title}"\n'
        f"{_key_lines(credentials)}",
        mode=0o600,
    )


def _text(credentials: MeterCredentials) -> str:
    return _address_lines(credentials) + _key_lines(credentials)


def _address_lines(credentials: MeterCredentials | SecretCredentials) -> str:
    return (
        f'system_title = "{credentials.system_title}"\n'
        f"client_sap = {credentials.client_sap}\n"
        f"server_sap = {credentials.server_sap}\n"
    )


def _key_lines(credentials: MeterCredentials | CourierCredentials) -> str:
    return (
        f'global_unicast_encryption_key = "{credentials.encryption_key.hex()}"\n'
        f'authentication_key = "{credentials.authentication_key.hex()}"\n'
    )


def _credentials(table: dict[str, Any]) -> MeterCredentials:
    return MeterCredentials(
        system_title=_title(table["system_title"]),
        client_sap=_sap("client_sap", table["client_sap"]),
        server_sap=_sap("server_sap", table["server_sap"]),
        encryption_key=_key("global_unicast_encryption_key", table["global_unicast_encryption_key"]),
        authentication_key=_key("authentication_key", table["authentication_key"]),
    )


def _ring(path: Path, table: dict[str, Any]) -> list[dict[str, Any]]:
    tables = table[_RING]
    if not isinstance(tables, list) or not all(isinstance(of_one, dict) for of_one in tables):
        raise CredentialsError(f"{path}: a key ring is made of [[{_RING}]] tables")
    return tables


def _read(path: Path) -> dict[str, Any]:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        table = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise CredentialsError(f"{path}: key file not found (meterpurse meter init writes one)") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialsError(f"{path}: cannot read the key file: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise CredentialsError(f"{path}: not a key file: {error}") from None
    if mode & 0o077:
        raise CredentialsError(f"{path}: others may read this key file; make it private (chmod 600)")
    return table


def _made(path: Path, table: dict[str, Any], members: tuple[str, ...], make: Callable[[dict[str, Any]], T]) -> T:
    try:
        unknown = sorted(set(table) - set(members))
        if unknown == [_RING]:
            raise InvalidValueError("a key ring of many meters; meterpurse fleet key writes the file of one")
        if unknown:
            raise InvalidValueError(f"unknown key {unknown[0]}{did_you_mean(unknown[0], members)}")
        return make(table)
    except KeyError as error:
        raise CredentialsError(f"{path}: {error.args[0]} is missing") from None
    except InvalidValueError as error:
        raise CredentialsError(f"{path}: {error}") from None


def check_secret(secret: bytes) -> None:
    """InvalidValueError unless it may be the secret of an association; the text never holds it."""
    if not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET:
        raise InvalidValueError(f"a secret is {SHORTEST_SECRET}..{LONGEST_SECRET} octets")
    if secret in EXAMPLE_KEYS:
        raise InvalidValueError("the secret is a published example key; make a random one")


def _check_pair(encryption_key: bytes, authentication_key: bytes) -> None:
    for name, key in (("encryption", encryption_key), ("authentication", authentication_key)):
        _check_key(name, key)
    if encryption_key == authentication_key:
        raise InvalidValueError("the encryption key and the authentication key are the same")


def _check_key(name: str, key: bytes) -> None:
    if len(key) != KEY_LENGTH:
        raise InvalidValueError(f"the {name} key is {KEY_LENGTH} octets ({2 * KEY_LENGTH} hexadecimal digits)")
    if key in EXAMPLE_KEYS:
        raise InvalidValueError(f"the {name} key is a published example key; make a random one")


# What these say never repeats the value: whoever mixed up two lines may have written a key there.


def _title(value: object) -> SystemTitle:
    try:
        return SystemTitle.parse(str(value))
    except InvalidValueError:
        raise InvalidValueError("system_title is 16 hexadecimal digits") from None


def _sap(name: str, value: object) -> int:
    if type(value) is not int or not 0 <= value <= LARGEST_SAP:
        raise InvalidValueError(f"{name} is a whole number 0..{LARGEST_SAP}")
    return value


def _key(name: str, value: object) -> bytes:
    try:
        return bytes.fromhex(str(value))
    except ValueError:
        raise InvalidValueError(f"{name} is {2 * KEY_LENGTH} hexadecimal digits") from None


def _secret(value: object) -> bytes:
    try:
        return bytes.fromhex(str(value))
    except ValueError:
        raise InvalidValueError(f"secret is {2 * SHORTEST_SECRET}..{2 * LONGEST_SECRET} hexadecimal digits") from None
