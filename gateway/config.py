"""The gateway's configuration: what `gateway.toml` may say, with every limit and its unit.

Only shapes and ranges are checked here; `check.py` looks at the files and the meaning. Imported by the other gateway
modules and by `deploy/`, which loads the file and gives the folder from which paths are counted as `context["folder"]`.
"""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator

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
Title = Annotated[SystemTitle, PlainValidator(_system_title), PlainSerializer(str)]


class Section(BaseModel):
    """A table of the file: unknown keys are mistakes, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HeadendSection(Section):
    """`[headend]`: where records go, and how much at a time."""

    url: Annotated[str, AfterValidator(_url)]
    token_file: ConfigPath
    timeout_s: Annotated[float, Field(ge=1, le=600)] = 30
    upload_every_s: Annotated[float, Field(ge=0.05, le=3600)] = 5
    heartbeat_every_s: Annotated[float, Field(ge=1, le=3600)] = 60
    batch_rows: Annotated[int, Field(ge=1, le=5000)] = 500
    request_rows: Annotated[int, Field(ge=1, le=50_000)] = 5000
    gzip: bool = True


class OutboxSection(Section):
    """`[outbox]`: the durable store between meters and head-end."""

    path: ConfigPath
    maximum_rows: Annotated[int, Field(ge=100, le=100_000_000)] = 1_000_000


class CollectionSection(Section):
    """`[collection]`: limits that all lines share."""

    concurrency: Annotated[int, Field(ge=1, le=2000)] = 50
    session_limit_s: Annotated[float, Field(ge=1, le=3600)] = 300
    read_every_s: Annotated[float, Field(ge=0.05, le=86_400)] = 900
    back_off_first_s: Annotated[float, Field(ge=0.05, le=3600)] = 2
    back_off_maximum_s: Annotated[float, Field(ge=0.05, le=86_400)] = 600


class PushSection(Section):
    """`[push]`: where meters push to, by TCP and UDP; a push that verifies has its meter collected at once."""

    listen: Annotated[str, AfterValidator(checked_listen)]


class MeterSection(Section):
    """One `[[meter]]`: where a meter is, and the key file of the association that collects from it."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    system_title: Title
    endpoint: Annotated[str, AfterValidator(_endpoint)]
    server_sap: Annotated[int, Field(ge=1, le=0xFFFF)] = 1
    client_sap: Annotated[int, Field(ge=1, le=0xFFFF)] = 1
    key_file: ConfigPath
    collect_every_s: Annotated[float, Field(ge=0.05, le=86_400)] = 60
    page_rows: Annotated[int, Field(ge=1, le=1000)] = 100
    timeout_s: Annotated[float, Field(ge=0.1, le=300)] = 10


class GatewayConfig(Section):
    """All of `gateway.toml`; `system_title` is the gateway's own, made at random by `gateway init`."""

    system_title: Title
    headend: HeadendSection
    outbox: OutboxSection
    collection: CollectionSection = CollectionSection()
    push: PushSection | None = None
    meter: tuple[MeterSection, ...] = ()
