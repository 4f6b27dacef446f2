"""What `meterpurse dlms rotate-keys` does: the keys in key files replaced one after the other, at the meter too."""

from collections.abc import Callable, Sequence
from pathlib import Path

from twisted.internet.interfaces import IReactorTime

from deploy.purse_client import MeterAddress, opener
from dlms_objects.errors import MeterPurseError
from dlms_objects.transport.credentials import load_credentials, load_master_key
from dlms_objects.transport.key_rotation import next_path, rotate, rotate_master


class RotationError(MeterPurseError):
    """A rotation was broken off; the text says which, and that making it again goes on from there."""


async def rotate_keys(
    reactor: IReactorTime,
    address: MeterAddress,
    key_files: Sequence[Path],
    master_file: Path,
    done: Callable[[Path], None],
    *,
    with_master: bool,
) -> None:
    """Replace the keys in each of the files, then the master key if wanted; `done` is told of each.

    `address` has the key file of management.

    Every file is read before the meter hears of anything: CredentialsError, InvalidValueError. RotationError when one
    was broken off.
    """
    master = load_master_key(master_file)
    for path in key_files:
        load_credentials(path)
    open_session = opener(reactor, address)
    try:
        for current in key_files:
            await rotate(address.keys, current, master, open_session)
            done(current)
        if with_master:
            current = master_file
            await rotate_master(address.keys, master_file, open_session)
            done(current)
    except MeterPurseError as error:
        left = next_path(current)
        kept = f"; its new keys are kept in {left} and nothing is lost" if left.exists() else ""
        raise RotationError(
            f"{current}: not replaced: {error}{kept}; the same command again goes on from here"
        ) from error
