"""A program's folder: what meter, gateway and head-end have in common in their settings files and beside them.

Addresses and paths as a settings file tells them, the TOML that a new one is written with, and files that are made
once and durably. What each program may be told is in its own `config.py`. Imported by `transport`, by the meter, by
gateway, head-end and the composition root; it knows none of them.
"""

import difflib
import json
import os
from collections.abc import Iterable
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from dlms_objects.errors import LocalError

if TYPE_CHECKING:
    from pydantic import ValidationInfo

toml_value = partial(json.dumps, ensure_ascii=False, default=str)
"""A value as TOML writes it; JSON's strings, numbers and booleans are a part of TOML's."""


def host_and_port(text: str) -> tuple[str, int]:
    """The two parts of `127.0.0.1:4059` or `[::1]:4059`; ValueError for anything else. Port 0 lets the system choose.

    The host may also be a name; an IPv6 address comes back without its brackets.
    """
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ValueError("host:port is wanted, such as 127.0.0.1:4059")
    return host, int(port)


def is_loopback(host: str) -> bool:
    """Whether the host is an address of this machine alone; a name is not taken for one."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def checked_listen(text: str) -> str:
    """A validator of a settings model: the text as it is, if `host_and_port` can read it."""
    host_and_port(text)
    return text


def counted_from_folder(path: Path, told: "ValidationInfo") -> Path:
    """A validator of a settings model: a relative path counts from the folder of the file that told it.

    Whoever loads the file gives the folder as `context={"folder": ...}`; without one the path stays as it is.
    """
    folder: Path | None = (told.context or {}).get("folder")
    return path if folder is None else folder / path


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the known word that is nearest to this one; nothing where none is near."""
    near = difflib.get_close_matches(str(word), list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


class AlreadyThereError(LocalError):
    """The folder holds what was to be made there already, or a part of it; nothing was changed."""


def write_new(path: Path, content: str | bytes, *, mode: int) -> None:
    """Make a file that is durable on return, with these permissions; FileExistsError when there is one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())
    sync_to_disk(path.parent)


def make_folder(folder: Path, *, mode: int) -> None:
    """Make a folder with these permissions, and those above it that are missing; durable on return.

    FileExistsError when it is there.
    """
    missing = [above for above in folder.parents if not above.exists()]
    for above in reversed(missing):
        above.mkdir(exist_ok=True)
        sync_to_disk(above.parent)
    folder.mkdir(mode=mode)
    sync_to_disk(folder.parent)


def sync_to_disk(place: Path) -> None:
    """Make what is in a file durable, or the names in a folder; FileNotFoundError when there is neither."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
