"""What a head-end is told at its start: the model of `headend.toml`.

Plain pydantic: every mistake is a validation error with its place, which the loader turns into file and line. Nothing
here opens a file or a socket. Imported by `service`, `setup` and the composition root.
"""

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf, StringConstraints
from pydantic import model_validator as whole_model_validator

from dlms_objects.program_folder import checked_listen
from dlms_objects.values.civil import time_zone
from dlms_objects.values.system_title import SystemTitle
from headend.delivery.config import (
    AppriseConfig,
    FilePath,
    NoticesConfig,
    RecipientConfig,
    SmsConfig,
    SmtpConfig,
    WebhookConfig,
)
from headend.notices import Language
from headend.place import PostgresServer, place

MEBIOCTET = 1024 * 1024

_PRINTABLE = r"^[^\x00-\x1f\x7f]+$"


def _checked_title(text: str) -> str:
    return str(SystemTitle.parse(text))


def _checked_zone(name: str) -> str:
    return time_zone(name).key


class MeterConfig(BaseModel):
    """One registered meter: rows of any other meter are turned away."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    system_title: Annotated[str, AfterValidator(_checked_title)] = Field(
        description="The meter's DLMS system title, 16 hexadecimal digits."
    )
    household: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120, pattern=_PRINTABLE)] = Field(
        description="Whose purse it is, as shown to people."
    )
    language: Language = Field(default="zh-CN", description="The language in which notices are shown unless asked.")
    time_zone: Annotated[str, AfterValidator(_checked_zone)] = Field(
        default="Asia/Shanghai", description="The IANA zone in which notices tell the time."
    )


def _checked_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError(f"an address is http(s)://host[:port][/path], not {text!r}")
    return text.rstrip("/")


class InfluxConfig(BaseModel):
    """`[influx]`: the InfluxDB that points are written to, by the write API of InfluxDB 2."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, AfterValidator(_checked_url)] = Field(
        description="Of InfluxDB 2 or 3, or of the proxy before an InfluxDB 1 (deploy/nginx)."
    )
    token_file: FilePath | None = Field(
        default=None, description="A file with the API token, counted from this file's folder; none: no token is sent."
    )
    org: Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=_PRINTABLE)] = Field(
        default="-", description="The organization of the bucket; InfluxDB 1 and 3 know none and ignore it."
    )
    bucket: Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=_PRINTABLE)] = Field(
        description="The bucket, or the database of an InfluxDB 1 or 3."
    )
    batch_points: Annotated[int, Field(ge=1, le=50_000)] = Field(
        default=5000, description="The most points in one request."
    )
    timeout_s: Annotated[int, Field(ge=1, le=600)] = Field(default=10, description="How long one request may take.")
    gzip: bool = Field(default=False, description="Compress requests: worth it over a slow network.")
    back_off_maximum_s: Annotated[float, Field(ge=0.05, le=3600)] = Field(
        default=60, description="The longest wait before a server that failed is tried again."
    )
    figures_every_s: Annotated[float, Field(ge=1, le=3600)] = Field(
        default=60, description="How often the head-end writes its own figures."
    )


class HeadendConfig(BaseModel):
    """The whole of `headend.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen: Annotated[str, AfterValidator(checked_listen)] = Field(
        default="127.0.0.1:8460", description="Address and port of the HTTP server; port 0 takes any free one."
    )
    database: Annotated[Path | InstanceOf[PostgresServer], BeforeValidator(place)] = Field(
        default=Path("headend.sqlite"),
        validate_default=True,
        description="The ledger: an SQLite file, counted from this file's folder, or a PostgreSQL URL.",
    )
    root_key_file: FilePath | None = Field(
        default=None,
        description="The age identity that seals the meters' keys in the database; none: no couriers are served.",
    )
    maximum_body_octets: Annotated[int, Field(ge=4096, le=256 * MEBIOCTET)] = Field(
        default=8 * MEBIOCTET, description="A longer request body is refused."
    )
    write_queue: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=64, description="Requests that may wait for the one writer; more are asked to come back."
    )
    stop_timeout_s: Annotated[int, Field(ge=1, le=600)] = Field(
        default=10, description="How long a stop waits for requests in flight."
    )
    meter: tuple[MeterConfig, ...] = Field(default=(), description="The registered meters.")
    notices: NoticesConfig = Field(default=NoticesConfig(), description="How notices are delivered.")
    smtp: SmtpConfig | None = Field(default=None, description="Without it no mails are sent.")
    sms: SmsConfig | None = Field(default=None, description="Without it no short messages are sent.")
    webhook: tuple[WebhookConfig, ...] = ()
    apprise: AppriseConfig = Field(default=AppriseConfig(), description="For recipients with an apprise_file.")
    recipient: tuple[RecipientConfig, ...] = Field(default=(), description="Who is sent notices.")
    influx: InfluxConfig | None = Field(default=None, description="Without it no points are kept or written.")

    @whole_model_validator(mode="after")
    def _each_meter_once(self) -> Self:
        titles = [meter.system_title for meter in self.meter]
        twice = sorted({title for title in titles if titles.count(title) > 1})
        if twice:
            raise ValueError(f"a meter is registered once: {', '.join(twice)}")
        return self

    @whole_model_validator(mode="after")
    def _every_channel_leads_somewhere(self) -> Self:
        for what, names in (
            ("recipient", [recipient.name for recipient in self.recipient]),
            ("webhook", [webhook.name for webhook in self.webhook]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"a {what} has a name of its own: {', '.join(twice)}")
        webhooks = {webhook.name for webhook in self.webhook}
        for recipient in self.recipient:
            if recipient.email is not None and self.smtp is None:
                raise ValueError(f"recipient {recipient.name} has an email, but there is no [smtp]")
            if recipient.sms is not None and self.sms is None:
                raise ValueError(f"recipient {recipient.name} has an sms, but there is no [sms]")
            if recipient.webhook is not None and recipient.webhook not in webhooks:
                raise ValueError(f"recipient {recipient.name}: there is no [[webhook]] named {recipient.webhook}")
        return self
