"""What a courier has in its pocket: sealed octets in a file, as frames of text, or as pictures of QR codes.

Nothing that is there is ever replaced: it may be the only copy of an answer. Imported by the command.
"""

import glob
from collections.abc import Mapping
from pathlib import Path

from deploy.commands.options import Pocket
from dlms_objects.classes.courier_frames import FRAME_PREFIX, FrameCollection, FrameError, courier_frames
from dlms_objects.errors import InvalidValueError, LocalError
from dlms_objects.program_folder import write_new
from dlms_objects.transport.courier_codes import frame_png, frame_svg
from dlms_objects.wire.ciphered import decode_general_glo_ciphering
from dlms_objects.wire.errors import MalformedError

MOST_OCTETS = 1_000_000
"""No file of a courier is larger; another one is not read whole."""

_PICTURES = (Pocket.SVG, Pocket.PNG)


class CourierFileError(LocalError):
    """A file is not what a courier carries, or is in the way; the text says which, and what to do."""


def read_sealed(path: Path) -> bytes:
    """The sealed octets in a file: as they are, or as frames of text, one a line, in any order.

    CourierFileError names the file and what is wrong with it; OSError when it cannot be read.
    """
    with path.open("rb") as file:
        octets = file.read(MOST_OCTETS + 1)
    try:
        if octets.lstrip().startswith(FRAME_PREFIX.encode()):
            octets = _joined(octets)
        decode_general_glo_ciphering(octets)
    except FrameError as error:
        raise CourierFileError(f"{path}: {error}") from None
    except MalformedError:
        raise CourierFileError(
            f"{path}: neither sealed octets nor frames ({FRAME_PREFIX}...); give the file as the head-end made it"
        ) from None
    return octets


def check_free(path: Path, form: Pocket) -> None:
    """CourierFileError where `pocket` could not write to: a file is there already, or there is no such folder."""
    if not path.parent.is_dir():
        raise CourierFileError(f"{path.parent}: no such folder; make it first")
    numbered = path.parent.glob(f"{glob.escape(path.stem)}-*-of-*{_suffix(path, form)}")
    for file in (path, *(numbered if form in _PICTURES else ())):
        if file.exists():
            raise CourierFileError(f"{file}: there is a file already, and nothing was changed; choose another name")


def pocket(path: Path, sealed: bytes, form: Pocket) -> Mapping[Path, bytes]:
    """The files, and what is in them, that carry sealed octets in that form; pictures are numbered before the suffix.

    CourierFileError where the octets are too long for frames.
    """
    if form is Pocket.OCTETS:
        return {path: sealed}
    try:
        frames = courier_frames(sealed)
    except InvalidValueError as error:
        raise CourierFileError(f"{path}: {error}; write them as {Pocket.OCTETS}") from None
    if form is Pocket.TEXT:
        return {path: "".join(f"{frame}\n" for frame in frames).encode()}
    return {
        path.with_name(f"{path.stem}-{number}-of-{len(frames)}{_suffix(path, form)}"): (
            frame_png(frame) if form is Pocket.PNG else frame_svg(frame).encode()
        )
        for number, frame in enumerate(frames, start=1)
    }


def write_pocket(files: Mapping[Path, bytes]) -> None:
    """Write new files durably; OSError when one cannot be, those before it stay."""
    for path, octets in files.items():
        write_new(path, octets, mode=0o644)


def _suffix(path: Path, form: Pocket) -> str:
    return path.suffix or f".{form}"


def _joined(octets: bytes) -> bytes:
    collection = FrameCollection()
    for line in octets.decode("ascii", "replace").splitlines():
        if line.strip():
            collection.add(line)
    return collection.batch()
