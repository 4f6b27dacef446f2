"""What can be said of a configuration without a network: every mistake at once, each with its place in the file.

Shapes and ranges are checked at loading (`config.py`); this looks at files, keys, duplicates and meaning. Nothing here
says a key or a token. Imported by `deploy/` for `gateway check` and before `gateway run`.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from dlms_objects.errors import LocalError
from dlms_objects.transport.credentials import CredentialsError, KeyFiles
from gateway.config import GatewayConfig, MeterSection
from gateway.meters import command_credentials
from gateway.service import read_token
from gateway.store import reading

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: the place of the value in `gateway.toml` (`("meter", 0, "key_file")`), and what is wrong."""

    place: Place
    message: str


def problems(config: GatewayConfig) -> list[Problem]:
    """Everything that is wrong, in the order of the file; an empty list when the gateway can start."""
    key_files = KeyFiles()
    return [
        *_headend(config),
        *_outbox(config),
        *_duplicates(config),
        *(problem for index, meter in enumerate(config.meter) for problem in _meter(index, meter, key_files)),
        *(problem for index, meter in enumerate(config.meter) for problem in _command_keys(index, meter, key_files)),
    ]


def _headend(config: GatewayConfig) -> Iterator[Problem]:
    place = ("headend", "token_file")
    path = config.headend.token_file
    try:
        read_token(path)
    except LocalError as error:
        yield Problem(place, f"{error} (put the token of `meterpurse headend init` there)")
    else:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield Problem(place, f"{path}: others may read this token; make it private (chmod 600)")
    if config.collection.back_off_first_s > config.collection.back_off_maximum_s:
        yield Problem(("collection", "back_off_first_s"), "the first wait is longer than back_off_maximum_s")


def _outbox(config: GatewayConfig) -> Iterator[Problem]:
    place = ("outbox", "path")
    path = config.outbox.path
    folder = path.parent
    if not folder.is_dir():
        yield Problem(place, f"{folder}: no such folder")
    elif not os.access(folder, os.W_OK | os.X_OK):
        yield Problem(place, f"{folder}: this user may not write here")
    elif path.exists():
        try:
            with reading(path):
                pass
        except LocalError as error:
            yield Problem(place, str(error))
    largest_page = max((meter.page_rows for meter in config.meter), default=0)
    if largest_page > config.outbox.maximum_rows:
        yield Problem(("outbox", "maximum_rows"), f"less than one page of {largest_page} rows")


def _duplicates(config: GatewayConfig) -> Iterator[Problem]:
    seen: dict[tuple[str, object], int] = {}
    for index, meter in enumerate(config.meter):
        for key, value in (
            ("name", meter.name),
            ("system_title", meter.system_title),
            ("endpoint", (meter.endpoint, meter.server_sap)),
        ):
            first = seen.setdefault((key, value), index)
            if first != index:
                yield Problem(("meter", index, key), f"the same as that of meter {config.meter[first].name!r}")
        if meter.system_title == config.system_title:
            yield Problem(("meter", index, "system_title"), "the gateway's own system title")


def _meter(index: int, meter: MeterSection, key_files: KeyFiles) -> Iterator[Problem]:
    try:
        credentials = key_files.credentials(meter.key_file, meter.system_title)
    except CredentialsError as error:
        yield Problem(("meter", index, "key_file"), str(error))
        return
    for key, configured, found in (
        ("system_title", meter.system_title, credentials.system_title),
        ("server_sap", meter.server_sap, credentials.server_sap),
        ("client_sap", meter.client_sap, credentials.client_sap),
    ):
        if configured != found:
            yield Problem(("meter", index, key), f"{configured}, but the key file is for {found}: {meter.key_file}")


def _command_keys(index: int, meter: MeterSection, key_files: KeyFiles) -> Iterator[Problem]:
    try:
        command_credentials(meter, key_files)
    except LocalError as error:
        yield Problem(("meter", index, "command_keys"), str(error))
