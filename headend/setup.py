"""Making a head-end's folder, adding meters to it, and looking whether it could start.

Used by the command line; the service itself imports nothing from here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dlms_objects.program_folder import AlreadyThereError, sync_to_disk, toml_value, write_new
from headend.authentication import Role, new_token, store_token
from headend.books import register
from headend.config import HeadendConfig, MeterConfig
from headend.database import migrate, require_newest_shape, transaction
from headend.influx.target import Target
from headend.statements import purses

CONFIG_NAME = "headend.toml"
DATABASE_NAME = "headend.sqlite"
TOKEN_NAMES = {Role.GATEWAY: "gateway.token", Role.READER: "reader.token"}

_HEADER = """\
# A MeterPurse head-end. Paths are counted from this file's folder.

# Address and port of the HTTP server; put a TLS proxy before it to serve other machines.
listen = {listen}

# The ledger.
database = {database}
"""
_METER = """
[[meter]]
system_title = {system_title}
household = {household}
language = {language}
time_zone = {time_zone}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """What `create` made."""

    config: Path
    database: Path
    gateway_token: Path
    reader_token: Path


def create(directory: Path, *, meters: Iterable[MeterConfig] = (), listen: str = "127.0.0.1:8460") -> Created:
    """Make a head-end in `directory`: database, two random tokens (mode 0600), and last of all `headend.toml`.

    AlreadyThereError when one of these files exists. Only hashes of the tokens are in the database.
    """
    config = HeadendConfig(listen=listen, database=Path(DATABASE_NAME), meter=tuple(meters))
    made = Created(
        config=directory / CONFIG_NAME,
        database=directory / DATABASE_NAME,
        gateway_token=directory / TOKEN_NAMES[Role.GATEWAY],
        reader_token=directory / TOKEN_NAMES[Role.READER],
    )
    for path in (made.config, made.database, made.gateway_token, made.reader_token):
        if path.exists():
            raise AlreadyThereError(f"{path} exists already")
    directory.mkdir(parents=True, exist_ok=True)
    tokens = {role: new_token() for role in Role}
    for role, token in tokens.items():
        write_new(directory / TOKEN_NAMES[role], token + "\n", mode=0o600)
    write_new(made.database, "", mode=0o600)
    with transaction(made.database) as connection:
        migrate(connection)
        for role, token in tokens.items():
            store_token(connection, name=role.value, role=role, token=token)
    sync_to_disk(made.database)
    write_new(made.config, _toml(config), mode=0o644)
    return made


def add_meter(config: HeadendConfig, registration: MeterConfig) -> None:
    """Register a meter in the database of a head-end, which may be running; one that is known is brought up to date."""
    with transaction(config.database) as connection:
        require_newest_shape(connection)
        register(connection, registration)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What `check` found in the database: meters registered, and entries booked."""

    meters: int
    entries: int


def check(config: HeadendConfig) -> Checked:
    """Rehearse a start on the database and leave it as it was.

    DatabaseUnusableError or TokenUnreadableError when it could not start.
    """
    if config.influx is not None:
        Target.of(config.influx)
    with transaction(config.database, rehearsal=True) as connection:
        migrate(connection)
        for registration in config.meter:
            register(connection, registration)
        found = purses(connection)
    return Checked(meters=len(found), entries=sum(purse.sequence for purse in found))


def _toml(config: HeadendConfig) -> str:
    text = _HEADER.format(listen=toml_value(config.listen), database=toml_value(str(config.database)))
    for meter in config.meter:
        text += _METER.format_map({name: toml_value(value) for name, value in meter.model_dump().items()})
    return text
