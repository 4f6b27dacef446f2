"""The gateway's configuration: what `gateway.toml` may say, with every limit and its unit.

Only shapes and ranges are checked here; `check.py` looks at the files and the meaning. Imported by the other gateway
modules and by `deploy/`, which loads the file and gives the folder from which paths are counted as `context["folder"]`.
"""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)

from dlms_objects.errors import InvalidValueError
from dlms_objects.program_folder import checked_listen, counted_from_folder
from dlms_objects.transport.endpoints import check_endpoint
from dlms_objects.values.system_title import SystemTitle


def _system_title(value: object) -> SystemTitle:
    try:
        return value if isinstance(value, SystemTitle) else SystemTitle.parse(str(value))
    except InvalidValueError as error:
        raise ValueError(str(error)) from error


def _endpoint(value: str) -> str:
    try:
        check_endpoint(value)
    except InvalidValueError as error:
        raise ValueError(str(error)) from None
    return value


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError(f"a head-end address is http(s)://host[:port][/path], not {value!r}")
    return value.rstrip("/")


ConfigPath = Annotated[Path, AfterValidator(counted_from_folder)]
Title = Annotated[
    SystemTitle,
    PlainValidator(_system_title),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": "^[0-9A-Fa-f]{16}$"}),
]


class Section(BaseModel):
    """A table of the file: unknown keys are mistakes, values do not change after loading.

    The words under a key are what an editor shows of it (`gateway/schema.py`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class HeadendSection(Section):
    """`[headend]`: where records go, and how much at a time."""

    url: Annotated[str, AfterValidator(_url)]
    """Where the head-end is: http(s)://host[:port][/path]."""
    token_file: ConfigPath
    """The file with the gateway token of `meterpurse headend init`; only this user may read it."""
    timeout_s: Annotated[float, Field(ge=1, le=600)] = 30
    """How long an answer of the head-end may take."""
    upload_every_s: Annotated[float, Field(ge=0.05, le=3600)] = 5
    """The pause between uploads when nothing new is there; what is collected is uploaded at once."""
    heartbeat_every_s: Annotated[float, Field(ge=1, le=3600)] = 60
    """How often the head-end is told of the gateway's state."""
    batch_rows: Annotated[int, Field(ge=1, le=5000)] = 500
    """Journal rows of one meter in a request."""
    request_rows: Annotated[int, Field(ge=1, le=50_000)] = 5000
    """Journal rows of all meters in a request."""
    gzip: bool = True
    """Whether requests are compressed."""
    commands: bool = True
    """Whether the head-end is asked for commands to meters; a meter takes them only with command_keys."""
    commands_wait_s: Annotated[int, Field(ge=0, le=300)] = 25
    """How long the head-end may hold a question for commands open; always 5 s less than timeout_s at most."""


class OutboxSection(Section):
    """`[outbox]`: the durable store between meters and head-end."""

    path: ConfigPath
    """The SQLite file; it is made when it is missing."""
    maximum_rows: Annotated[int, Field(ge=100, le=100_000_000)] = 1_000_000
    """When so many rows and events are held, meters are no longer read: they keep theirs."""


class CollectionSection(Section):
    """`[collection]`: limits that all lines share."""

    concurrency: Annotated[int, Field(ge=1, le=2000)] = 50
    """Sessions with meters that are open at a time."""
    session_limit_s: Annotated[float, Field(ge=1, le=3600)] = 300
    """A session that takes longer is broken off; what it brought so far is kept."""
    read_every_s: Annotated[float, Field(ge=0.05, le=86_400)] = 900
    """How often, at most, clock, energy register, purse and fee items are read along with a collection."""
    back_off_first_s: Annotated[float, Field(ge=0.05, le=3600)] = 2
    """The wait after a first failure; it doubles with each further one."""
    back_off_maximum_s: Annotated[float, Field(ge=0.05, le=86_400)] = 600
    """The longest wait after a failure."""


class PushSection(Section):
    """`[push]`: where meters push to, by TCP and UDP; a push that verifies has its meter collected at once."""

    listen: Annotated[str, AfterValidator(checked_listen)]
    """host:port, by TCP and UDP."""


class HttpSection(Section):
    """`[http]`: where metrics (Prometheus) and health are asked for; without this table nobody is answered."""

    listen: Annotated[str, AfterValidator(checked_listen)] = "127.0.0.1:9460"
    """host:port; a loopback address, or one of a network of one's own: no token is asked for."""
    ready_limit_s: Annotated[float, Field(ge=1, le=31 * 86_400)] = 900
    """When the head-end was not reached for so long, /healthz/ready says so; records are kept all the same."""


class MeterSection(Section):
    """One `[[meter]]`: where a meter is, and the key file of the association that collects from it."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    """What operators call the meter: letters, digits, dots, dashes."""
    system_title: Title
    """The meter's own, 16 hexadecimal digits."""
    endpoint: Annotated[str, AfterValidator(_endpoint)]
    """How the meter is reached, such as tcp:10.0.0.7:4059 or hdlc+serial:/dev/ttyUSB0:baudrate=9600."""
    server_sap: Annotated[int, Field(ge=1, le=0xFFFF)] = 1
    """The meter's logical device; 1 is the management logical device."""
    client_sap: Annotated[int, Field(ge=1, le=0xFFFF)] = 1
    """The association that collects: 1 management, 2 reader."""
    key_file: ConfigPath
    """Written by `meterpurse meter init`; only this user may read it."""
    command_keys: ConfigPath | None = None
    """The key file of the management association (client 1), with which commands are carried out; none without it."""
    collect_every_s: Annotated[float, Field(ge=0.05, le=86_400)] = 60
    """The time between two collections."""
    page_rows: Annotated[int, Field(ge=1, le=1000)] = 100
    """Journal rows asked for at a time."""
    timeout_s: Annotated[float, Field(ge=0.1, le=300)] = 10
    """Without an answer for so long, the connection is given up."""


class GatewayConfig(Section):
    """All of `gateway.toml`; `system_title` is the gateway's own, made at random by `gateway init`."""

    system_title: Title
    """The gateway's own, 16 hexadecimal digits; a restored outbox wants a new one."""
    headend: HeadendSection
    outbox: OutboxSection
    collection: CollectionSection = CollectionSection()
    push: PushSection | None = None
    http: HttpSection | None = None
    meter: tuple[MeterSection, ...] = ()
