"""Making a gateway's folder: `gateway.toml` with a word on every setting, and the place for its token.

Used by the command line; the service imports nothing from here.
"""

import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dlms_objects.program_folder import AlreadyThereError, toml_value, write_new
from dlms_objects.transport.credentials import KeyFiles, load_credentials
from dlms_objects.values.system_title import SystemTitle
from gateway.config import CollectionSection, GatewayConfig, HeadendSection, MeterSection, OutboxSection

CONFIG_NAME = "gateway.toml"
TOKEN_NAME = "headend.token"
OUTBOX_NAME = "outbox.sqlite3"
DEFAULT_HEADEND_URL = "http://127.0.0.1:8460"

_HEADER = """\
# A MeterPurse gateway. Paths are counted from this file's folder.

# This gateway's own DLMS system title, made at random. Together with the invocation counters in the outbox file it
# keeps every nonce unique: after restoring an old copy of that file, put a new title here (MPG and five octets).
system_title = {system_title}

[headend]
url = {url}
# The gateway token that `meterpurse headend init` wrote, in a file that only this user may read (chmod 600).
token_file = {token_file}
timeout_s = {timeout_s}
# Pause between uploads when there is nothing new; what is collected is uploaded at once.
upload_every_s = {upload_every_s}
heartbeat_every_s = {heartbeat_every_s}
# Journal rows of one meter, and of all meters together, in one request.
batch_rows = {batch_rows}
request_rows = {request_rows}
gzip = {gzip}
# Commands of the head-end to meters, by a question that it may hold open for so long.
commands = {commands}
commands_wait_s = {commands_wait_s}

[outbox]
path = {outbox}
# When so many rows and events are held, meters are no longer read: they keep theirs.
maximum_rows = {maximum_rows}

[collection]
# Sessions open at a time.
concurrency = {concurrency}
# A session that takes longer is broken off; what it brought so far is kept.
session_limit_s = {session_limit_s}
# How often, at most, the state of clock, energy register, purse and fee items is read along with a collection.
read_every_s = {read_every_s}
back_off_first_s = {back_off_first_s}
back_off_maximum_s = {back_off_maximum_s}

# Where meters push new entries and events to (`meterpurse dlms push`), by TCP and UDP; they are then collected at once:
#
# [push]
# listen = "0.0.0.0:4060"

# Where Prometheus asks for /metrics, and a monitor for /healthz/live and /healthz/ready:
#
# [http]
# listen = "127.0.0.1:9460"
"""
_METER = """
[[meter]]
name = {name}
system_title = {system_title}
endpoint = {endpoint}
server_sap = {server_sap}
client_sap = {client_sap}
# Written by `meterpurse meter init`; the management association (client 1) may acknowledge, the reader (2) may not.
key_file = {key_file}
# The management association's key file; with it the head-end's commands are carried out, without it they are refused:
# command_keys = "keys/management.toml"
collect_every_s = {collect_every_s}
# Journal rows asked for at a time.
page_rows = {page_rows}
# Without an answer for so long, the connection is given up.
timeout_s = {timeout_s}
"""
_NO_METER = """
# One table for each meter:
#
# [[meter]]
# name = "flat-1"
# system_title = "4D50520000000001"
# endpoint = "tcp:127.0.0.1:4059"
# key_file = "keys/flat-1.toml"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMeter:
    """A meter to collect from; its titles and SAPs are read from the key file, which stays where it is.

    `system_title` says which meter it is where the file is a key ring.
    """

    name: str
    endpoint: str
    key_file: Path
    collect_every_s: float = 60
    system_title: SystemTitle | None = None


def create(
    directory: Path,
    *,
    headend_url: str = DEFAULT_HEADEND_URL,
    token: str | None = None,
    meters: Iterable[NewMeter] = (),
    upload_every_s: float = 5,
    read_every_s: float = 900,
) -> Path:
    """Make a gateway in `directory` and return the path of its `gateway.toml`.

    Without a token its file is left to be put there (`gateway check` says so). AlreadyThereError when one of the files
    exists; CredentialsError for a key file that cannot be used; ValueError (pydantic) for a value out of its range.
    """
    config_file, token_file = directory / CONFIG_NAME, directory / TOKEN_NAME
    for path in (config_file, token_file, directory / OUTBOX_NAME):
        if path.exists():
            raise AlreadyThereError(f"{path} exists already")
    key_files = KeyFiles()
    config = GatewayConfig(
        system_title=SystemTitle(b"MPG" + secrets.token_bytes(5)),
        headend=HeadendSection(url=headend_url, token_file=Path(TOKEN_NAME), upload_every_s=upload_every_s),
        outbox=OutboxSection(path=Path(OUTBOX_NAME)),
        collection=CollectionSection(read_every_s=read_every_s),
        meter=tuple(_meter(directory, meter, key_files) for meter in meters),
    )
    directory.mkdir(parents=True, exist_ok=True)
    if token is not None:
        write_new(token_file, token + "\n", mode=0o600)
    write_new(config_file, _toml(config), mode=0o644)
    return config_file


def _meter(directory: Path, meter: NewMeter, key_files: KeyFiles) -> MeterSection:
    title = meter.system_title
    known = load_credentials(meter.key_file) if title is None else key_files.credentials(meter.key_file, title)
    return MeterSection(
        name=meter.name,
        system_title=known.system_title,
        endpoint=meter.endpoint,
        server_sap=known.server_sap,
        client_sap=known.client_sap,
        key_file=Path(os.path.relpath(meter.key_file.absolute(), directory.absolute())),
        collect_every_s=meter.collect_every_s,
    )


def _toml(config: GatewayConfig) -> str:
    values = {
        "system_title": config.system_title,
        "outbox": config.outbox.path,
        "maximum_rows": config.outbox.maximum_rows,
        **config.headend.model_dump(),
        **config.collection.model_dump(),
    }
    text = _HEADER.format_map({name: toml_value(value) for name, value in values.items()})
    for meter in config.meter:
        text += _METER.format_map(
            {name: toml_value(value) for name, value in meter.model_dump(exclude_none=True).items()}
        )
    return text if config.meter else text + _NO_METER
