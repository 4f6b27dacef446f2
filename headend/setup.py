"""Making a head-end's folder, adding meters to it, and looking whether it could start.

Used by the command line; the service itself imports nothing from here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, select

from dlms_objects.program_folder import AlreadyThereError, sync_to_disk, toml_value, write_new
from dlms_objects.transport.credentials import load_courier_credentials, load_replaceable_keys
from dlms_objects.values.money import Currency
from dlms_objects.values.system_title import SystemTitle
from headend import courier_keys, meter_keys, users
from headend.assignments import assign
from headend.authentication import FIRST_ORGANISATION, new_token, store_token
from headend.books import register
from headend.config import HeadendConfig, MeterConfig
from headend.database import migrate, require_newest_shape, transaction
from headend.engines import Purpose
from headend.influx.target import Target
from headend.permissions import Role
from headend.place import Place, PostgresServer
from headend.root_key import RootKey, RootKeyError
from headend.root_key import create as create_root_key
from headend.schema import bearer_token
from headend.statements import purses
from headend.visibility import EVERY_METER

CONFIG_NAME = "headend.toml"
DATABASE_NAME = "headend.sqlite"
ROOT_KEY_NAME = "root.key"
TOKEN_NAMES = {Role.GATEWAY: "gateway.token", Role.ADMIN: "admin.token", Role.AUDITOR: "auditor.token"}

_HEADER = """\
# A MeterPurse head-end. Paths are counted from this file's folder.

# Address and port of the HTTP server; put a TLS proxy before it to serve other machines.
listen = {listen}

# The ledger: an SQLite file, or a database on a PostgreSQL server (postgresql://USER@HOST/DATABASE; docs/headend.md).
database = {database}

# Opens the meters' keys in the ledger. Keep a copy of this file apart from those of the ledger.
root_key_file = {root_key_file}
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
    database: Place
    root_key: Path
    gateway_token: Path
    admin_token: Path
    auditor_token: Path


def create(
    directory: Path,
    *,
    meters: Iterable[MeterConfig] = (),
    listen: str = "127.0.0.1:8460",
    database: Place = Path(DATABASE_NAME),
) -> Created:
    """Make a head-end in `directory`: database, root key, three random tokens (mode 0600), and last `headend.toml`.

    A PostgreSQL database must be there and empty. AlreadyThereError when one of the files exists, or it is not empty;
    DatabaseUnusableError when it cannot be reached. Only hashes of the tokens are in the database.
    """
    config = HeadendConfig(listen=listen, database=database, root_key_file=Path(ROOT_KEY_NAME), meter=tuple(meters))
    made = Created(
        config=directory / CONFIG_NAME,
        database=directory / database if isinstance(database, Path) else database,
        root_key=directory / ROOT_KEY_NAME,
        gateway_token=directory / TOKEN_NAMES[Role.GATEWAY],
        admin_token=directory / TOKEN_NAMES[Role.ADMIN],
        auditor_token=directory / TOKEN_NAMES[Role.AUDITOR],
    )
    for path in (made.config, made.database, made.root_key, *(directory / name for name in TOKEN_NAMES.values())):
        if isinstance(path, Path) and path.exists():
            raise AlreadyThereError(f"{path} exists already")
    if isinstance(made.database, PostgresServer):
        _fill(made.database, {}, rehearsal=True)
    directory.mkdir(parents=True, exist_ok=True)
    tokens = {role: new_token() for role in TOKEN_NAMES}
    for role, token in tokens.items():
        write_new(directory / TOKEN_NAMES[role], token + "\n", mode=0o600)
    create_root_key(made.root_key)
    if isinstance(made.database, Path):
        write_new(made.database, "", mode=0o600)
    _fill(made.database, tokens)
    if isinstance(made.database, Path):
        sync_to_disk(made.database)
    write_new(made.config, _toml(config), mode=0o644)
    return made


def add_meter(config: HeadendConfig, registration: MeterConfig, organisation: str | None = None) -> None:
    """Register a meter in the database of a head-end, which may be running; one that is known is brought up to date.

    It is the first organisation's unless another is named; UserError or RegisteredElsewhereError when it cannot be.
    """
    with transaction(config.database) as connection:
        require_newest_shape(connection)
        register(connection, registration, organisation_id=_owner(connection, organisation))


def add_meter_keys(config: HeadendConfig, path: Path) -> SystemTitle:
    """Take over a key file of a meter (reader, management or master) as it is in the meter now; the meter's title.

    CredentialsError, RootKeyError or MeterKeyError when that cannot be. The head-end may be running.
    """
    root = _root_key(config)
    keys = load_replaceable_keys(path)
    with transaction(config.database) as connection:
        require_newest_shape(connection)
        meter_keys.store(connection, root, keys, now=datetime.now(UTC))
    return keys.system_title


def assign_meter(config: HeadendConfig, title: str, gateway: str, organisation: str | None) -> None:
    """Assign a meter to a gateway, which fetches its commands and keys; AssignmentError or UserError."""
    with transaction(config.database) as connection:
        require_newest_shape(connection)
        assign(connection, _owner(connection, organisation), title, gateway)


def _root_key(config: HeadendConfig) -> RootKey:
    if config.root_key_file is None:
        raise RootKeyError("the configuration names no root_key_file, so no keys can be kept")
    return RootKey.load(config.root_key_file)


def add_organisation(config: HeadendConfig, name: str) -> None:
    """Enter an organisation in the database of a head-end, which may be running; UserError when it is there."""
    with transaction(config.database) as connection:
        require_newest_shape(connection)
        users.add_organisation(connection, name)


def add_user(config: HeadendConfig, organisation: str | None, user: users.User, password: str) -> None:
    """Enter a person of an organisation (None: the first); UserError when that cannot be. The head-end may run."""
    password_hash = users.hashed(password)
    with transaction(config.database) as connection:
        require_newest_shape(connection)
        users.add_user(connection, _owner(connection, organisation), user, password_hash)


def _owner(connection: Connection, organisation: str | None) -> int:
    return FIRST_ORGANISATION if organisation is None else users.organisation_named(connection, organisation)


def add_courier_keys(config: HeadendConfig, path: Path, currency: Currency | None) -> SystemTitle:
    """Take over the courier keys of a meter from the file that `meterpurse meter init` wrote; the meter's title.

    CredentialsError, RootKeyError or CourierKeyError when that cannot be. The head-end may be running.
    """
    root, credentials = _root_key(config), load_courier_credentials(path)
    with transaction(config.database) as connection:
        require_newest_shape(connection)
        courier_keys.store(connection, root, credentials, currency)
    return credentials.system_title


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What `check` found in the database: meters registered, and entries booked."""

    meters: int
    entries: int


def check(config: HeadendConfig) -> Checked:
    """Rehearse a start on the database and leave it as it was.

    DatabaseUnusableError, RootKeyError or TokenUnreadableError when it could not start.
    """
    if config.root_key_file is not None:
        RootKey.load(config.root_key_file)
    if config.influx is not None:
        Target.of(config.influx)
    with transaction(config.database, Purpose.MIGRATE, rehearsal=True) as connection:
        migrate(connection)
        for registration in config.meter:
            register(connection, registration)
        found = purses(connection, EVERY_METER)
    return Checked(meters=len(found), entries=sum(purse.sequence for purse in found))


def _fill(database: Place, tokens: Mapping[Role, str], *, rehearsal: bool = False) -> None:
    with transaction(database, Purpose.MIGRATE, rehearsal=rehearsal) as connection:
        migrate(connection)
        if connection.execute(select(bearer_token.c.id)).first() is not None:
            raise AlreadyThereError(f"the database at {database} holds the books of a head-end already")
        for role, token in tokens.items():
            store_token(connection, name=role.value, role=role, token=token)


def _toml(config: HeadendConfig) -> str:
    text = _HEADER.format(
        listen=toml_value(config.listen),
        database=toml_value(str(config.database)),
        root_key_file=toml_value(str(config.root_key_file)),
    )
    for meter in config.meter:
        text += _METER.format_map({name: toml_value(value) for name, value in meter.model_dump().items()})
    return text
