"""Replacing the keys of one association of a meter, so that being cut off at any moment locks nobody out.

The new keys are durable beside the old ones (`<name>.next.toml`) before the meter hears of them, and they take the
place of the old ones only once an association was opened with them. In between, whoever opens tries the old keys and
then the new ones. A rotation that was cut off is simply made again: it sends the same new keys, and a meter that has
them already changes nothing.

Imported by whoever manages meters. Opening a session is the caller's (`Open`): it knows endpoint and identity.
"""

import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from dlms_objects.classes.catalogue import ASSOCIATIONS, security_setup_name
from dlms_objects.classes.standard import SECURITY_SETUP
from dlms_objects.errors import InvalidValueError, RefusedError, RemoteError
from dlms_objects.program_folder import sync_to_disk
from dlms_objects.transport.client import AccessRefusedByMeterError, MeterSession
from dlms_objects.transport.credentials import (
    KEY_LENGTH,
    MasterKey,
    MeterCredentials,
    load_credentials,
    load_master_key,
    save_credentials,
    save_master_key,
)
from dlms_objects.transport.remote_object import RemoteObject
from dlms_objects.wire.key_wrap import wrap_key

Open = Callable[[MeterCredentials], Awaitable[MeterSession]]
"""Opens a session with those keys; raises what `transport.client.open_session` raises."""

_SETUPS = {association.client_sap: security_setup_name(association.number) for association in ASSOCIATIONS}


def next_path(key_file: Path) -> Path:
    """Where the keys are kept that are to replace those of a key file."""
    return key_file.with_suffix(".next.toml")


async def open_with_either(key_file: Path, open_session: Open) -> MeterSession:
    """A session with the keys of the file, or with those that are to replace them, if the meter has them already.

    Then they are the file's keys from now on. What the meter says to the keys of the file is raised when there are no
    others, and what it says to those when there are.
    """
    following = next_path(key_file)
    try:
        return await open_session(load_credentials(key_file))
    except (RefusedError, RemoteError):
        if not following.exists():
            raise
    session = await open_session(load_credentials(following))
    _replace(key_file)
    return session


async def rotate(manager_file: Path, key_file: Path, master: MasterKey, open_session: Open) -> None:
    """Replace the keys in a key file, at the meter and in the file; the manager's own file is one too.

    `manager_file` holds the keys that may change keys. Raises what sessions raise; whatever happens, one of the two
    files opens the meter, and calling again goes on from there. InvalidValueError for a master key of another meter, or
    an association without a security setup.
    """
    credentials = load_credentials(key_file)
    _check_meter(credentials, master)
    async with _managing(manager_file, open_session) as session:
        if load_credentials(key_file) != credentials:
            return  # a rotation that was cut off after the meter had taken the manager's new keys
        if not next_path(key_file).exists():
            made = replace(credentials, encryption_key=_random_key(), authentication_key=_random_key())
            _prepare(key_file, partial(save_credentials, credentials=made))
        following = load_credentials(next_path(key_file))
        await _transfer(
            session,
            credentials.client_sap,
            master.key,
            global_unicast_encryption_key=following.encryption_key,
            authentication_key=following.authentication_key,
        )
    confirmed = await open_session(following)
    _replace(key_file)
    await confirmed.release()


async def rotate_master(manager_file: Path, master_file: Path, open_session: Open) -> None:
    """Replace the master key, at the meter and in its file.

    Raises what sessions raise; whatever happens, one of the two files holds the meter's master key, and calling again
    finds out which. InvalidValueError as in `rotate`.
    """
    credentials, master = load_credentials(manager_file), load_master_key(master_file)
    _check_meter(credentials, master)
    async with _managing(manager_file, open_session) as session:
        if not next_path(master_file).exists():
            _prepare(master_file, partial(save_master_key, master=replace(master, key=_random_key())))
        following = load_master_key(next_path(master_file))
        try:
            await _transfer(session, credentials.client_sap, master.key, master_key=following.key)
        except AccessRefusedByMeterError:  # it took the new one before we were cut off, or neither is its own
            await _transfer(session, credentials.client_sap, following.key, master_key=following.key)
    _replace(master_file)


@asynccontextmanager
async def _managing(manager_file: Path, open_session: Open) -> AsyncIterator[MeterSession]:
    """A session of the manager, released at the end; dropped when something went wrong."""
    session = await open_with_either(manager_file, open_session)
    try:
        yield session
    except BaseException:
        session.abort()
        raise
    await session.release()


async def _transfer(session: MeterSession, client_sap: int, wrapping_key: bytes, **keys: bytes) -> None:
    """Call key_transfer of that association's security setup; AccessRefusedByMeterError for a legal no."""
    setup = RemoteObject(session, SECURITY_SETUP, _SETUPS[client_sap])
    transfers = [{"key_id": name, "key_wrapped": wrap_key(wrapping_key, key).hex()} for name, key in keys.items()]
    await setup.call("key_transfer", transfers)


def _check_meter(credentials: MeterCredentials, master: MasterKey) -> None:
    if master.system_title != credentials.system_title:
        raise InvalidValueError(f"the master key is that of another meter, {master.system_title}")
    if credentials.client_sap not in _SETUPS:
        raise InvalidValueError(f"client SAP {credentials.client_sap} has no security setup")


def _random_key() -> bytes:
    return secrets.token_bytes(KEY_LENGTH)


def _prepare(path: Path, save: Callable[[Path], None]) -> None:
    """What is to replace a file, whole and durable, or not there at all."""
    draft = path.with_suffix(".draft.toml")
    draft.unlink(missing_ok=True)  # of a rotation that was cut off before anyone heard of it
    save(draft)
    os.rename(draft, next_path(path))
    sync_to_disk(path.parent)


def _replace(path: Path) -> None:
    """What was to replace a file does, at once and durably."""
    os.replace(next_path(path), path)
    sync_to_disk(path.parent)
