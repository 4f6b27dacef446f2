"""Making a new meter: random keys, an empty purse, and a configuration that runs as it is."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dlms_objects.classes.catalogue import ASSOCIATIONS, SERVER_SAP, Role
from dlms_objects.meter.config import CONFIG_NAME, COURIER_KEY_NAME, MASTER_KEY_NAME, RESIDENT
from dlms_objects.meter.store import MeterStore
from dlms_objects.program_folder import AlreadyThereError, make_folder, write_new
from dlms_objects.purse.state import PurseState, Settings
from dlms_objects.transport.credentials import (
    KEY_LENGTH,
    CourierCredentials,
    MasterKey,
    MeterCredentials,
    SecretCredentials,
    save_courier_credentials,
    save_credentials,
    save_master_key,
    save_secret,
)
from dlms_objects.values.data import visible_string
from dlms_objects.values.money import Currency
from dlms_objects.values.system_title import SystemTitle

MAKER = b"MPR"
HEAD_END_TITLE = SystemTitle(b"MPH" + bytes(4) + b"\x01")
"""Whose sealed instructions a courier brings, unless another one is written to its key file before the first start."""

STORE_NAME = "meter.sqlite"
KEYS_NAME = "keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeMeter:
    """What `create` made."""

    system_title: SystemTitle
    config: Path
    store: Path
    keys: dict[Role, Path]
    resident: Path
    courier_keys: Path


def create(
    folder: Path,
    *,
    listen: str = "127.0.0.1:4059",
    currency: Currency = Currency("CNY", -2),  # noqa: B008 - immutable
    time_zone: str = "Asia/Shanghai",
    serial_number: str | None = None,
    clock_start: datetime | None = None,
    clock_rate: float = 1.0,
) -> MadeMeter:
    """Make a meter in a folder; AlreadyThereError when there is one (or a part of one).

    InvalidValueError for a zone that is none, or a serial number that is not printable ASCII; nothing is made then.
    `clock_start` (aware) gives it a virtual clock that runs `clock_rate` times as fast as real time.
    """
    config, store, keys_folder = (folder / name for name in (CONFIG_NAME, STORE_NAME, KEYS_NAME))
    for path in (config, store, keys_folder):
        if path.exists():
            raise AlreadyThereError(f"{path}: {_what_is_there(config)}; nothing was changed")
    title = SystemTitle(MAKER + secrets.token_bytes(5))
    serial_number = visible_string(serial_number or str(title)).value
    state = PurseState.new(title, currency, Settings(time_zone=time_zone))
    make_folder(keys_folder, mode=0o700)
    keys = {
        association.role: _make_keys(keys_folder, title, association.role, association.client_sap)
        for association in ASSOCIATIONS
        if association.is_ciphered
    }
    resident = keys_folder / f"{RESIDENT.role}.toml"
    save_secret(
        resident,
        SecretCredentials(
            system_title=title,
            client_sap=RESIDENT.client_sap,
            server_sap=SERVER_SAP,
            secret=secrets.token_bytes(KEY_LENGTH),
        ),
    )
    save_master_key(keys_folder / MASTER_KEY_NAME, MasterKey(system_title=title, key=secrets.token_bytes(KEY_LENGTH)))
    courier_keys = keys_folder / COURIER_KEY_NAME
    save_courier_credentials(
        courier_keys,
        CourierCredentials(
            system_title=title,
            head_end_title=HEAD_END_TITLE,
            encryption_key=secrets.token_bytes(KEY_LENGTH),
            authentication_key=secrets.token_bytes(KEY_LENGTH),
        ),
    )
    MeterStore.create(store, serial_number, state)
    start = "2026-01-01T00:00:00+08:00" if clock_start is None else clock_start.isoformat()
    clock = f"[clock]\nstart = {start}\nrate = {clock_rate}\n"
    if clock_start is None:
        clock = "".join(f"# {line}\n" for line in clock.splitlines())
    text = _CONFIG.format(listen=listen, clock=clock, seed=secrets.randbelow(1_000_000))
    write_new(config, text, mode=0o644)  # last: whoever finds it finds a whole meter
    return MadeMeter(
        system_title=title, config=config, store=store, keys=keys, resident=resident, courier_keys=courier_keys
    )


def _what_is_there(config: Path) -> str:
    if config.exists():
        return "there is a meter here already"
    return (
        f"part of a meter without its {config.name}: remove it if a making was cut off, else bring {config.name} back"
    )


def _make_keys(folder: Path, title: SystemTitle, role: Role, client_sap: int) -> Path:
    path = folder / f"{role}.toml"
    credentials = MeterCredentials(
        system_title=title,
        client_sap=client_sap,
        server_sap=SERVER_SAP,
        encryption_key=secrets.token_bytes(KEY_LENGTH),
        authentication_key=secrets.token_bytes(KEY_LENGTH),
    )
    save_credentials(path, credentials)
    return path


_CONFIG = """\
# A MeterPurse meter. Paths are counted from this file's folder.
listen = "{listen}"          # host:port; port 0 lets the system choose
store = "meter.sqlite"       # purse, journal, event log, counters, and from the first start on the meter's own keys
keys = "keys"                # one file per association, for its clients; master_key.toml wraps replacements;
                             # resident.toml holds a secret for the local port only;
                             # courier.toml is for the head-end alone: move it there after the first start
inactivity_s = 180           # a silent client is dropped

# Without this table a new meter shows real time. With it, at its first run it starts at `start`; from then on it goes
# on from wherever it is, `rate` times as fast as real time.
{clock}
[consumption]                # the simulated household behind the energy register
seed = {seed}
kwh_per_year = 2400

# Further ways to the meter, one table each; the text is as for `meterpurse dlms --endpoint`:
# [[line]]
# endpoint = "hdlc+serial:/dev/ttyUSB0:baudrate=9600:physical=17:turnaround=5"
#            "hdlc+optical:/dev/ttyUSB1" (mode E), "hdlc+tcp:127.0.0.1:4060:physical=17", "udp:127.0.0.1:4059"
# local = true               # over this line the resident may come too, as over an optical port; loopback, where IP

# With this table the meter cuts off the supply of a household that has not paid, and gives it back when it has; never
# at night, on a spared day, or before the grace is over. Without it, it never switches the supply by itself.
# [supply]
# kinds = ["electricity"]
# grace_h = 72
# cut_from = 10:00:00
# cut_until = 15:00:00
# spared_weekdays = ["saturday", "sunday"]
# spared_days = [2026-10-01]

# The front panel: a page for a browser on this machine, and what `meterpurse meter panel DIR` shows on a terminal.
# Set the PIN with `meterpurse meter panel-pin DIR`; without one no amount can be typed in.
# [panel]
# listen = "127.0.0.1:8090"
"""
