"""What a head-end is told about recipients and the channels to them: the notice part of `headend.toml`.

Secrets (passwords, tokens, signing keys, apprise addresses) stay in files of their own; the model holds paths only.
Imported by `headend.config` and by this package.
"""

import ipaddress
import re
from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic import model_validator as whole_model_validator

from dlms_objects.program_folder import counted_from_folder
from dlms_objects.values.civil import time_zone
from dlms_objects.values.system_title import SystemTitle
from headend.alarms import AlarmKind
from headend.notices import Language, NoticeKind

_PRINTABLE = r"^[^\x00-\x1f\x7f]+$"
_ADDRESS = re.compile(r"[!-;=?A-~]+@[0-9A-Za-z.-]+", re.ASCII)  # no space, no <, > or @ before the one @
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _checked_address(text: str) -> str:
    if _ADDRESS.fullmatch(text) is None:
        raise ValueError(f"an e-mail address is wanted, not {text!r}")
    return text


def _checked_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.fragment:
        raise ValueError("an address is http(s)://host[:port]/path, without a user")
    return text


def _checked_network(text: str) -> str:
    return str(ipaddress.ip_network(text))


def _checked_zone(name: str) -> str:
    return time_zone(name).key


def _checked_title(text: str) -> str:
    return str(SystemTitle.parse(text))


def _whole_minutes(told: time) -> time:
    if told.tzinfo is not None or told.second or told.microsecond:
        raise ValueError("a time of day in whole minutes is wanted, such as 22:00:00")
    return told


def _kind(told: object) -> object:
    known = {kind.value: kind for kind in (*NoticeKind, *AlarmKind)}
    if told not in known:
        raise ValueError(f"no such event: {told!r}; there are {', '.join(known)}")
    return known[str(told)]


FilePath = Annotated[Path, AfterValidator(counted_from_folder)]
Address = Annotated[str, AfterValidator(_checked_address)]
Url = Annotated[str, AfterValidator(_checked_url)]
Network = Annotated[str, AfterValidator(_checked_network)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=_PRINTABLE)]
TimeOfDay = Annotated[time, AfterValidator(_whole_minutes)]
TimeoutS = Annotated[int, Field(ge=1, le=300)]
EventKind = Annotated[NoticeKind | AlarmKind, BeforeValidator(_kind)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NoticesConfig(_Model):
    """`[notices]`: how often a delivery is tried, and when a gateway counts as silent."""

    attempts: Annotated[int, Field(ge=1, le=100)] = Field(default=12, description="Then a delivery is given up.")
    retry_first_s: Annotated[float, Field(gt=0, le=86_400)] = Field(
        default=30, description="The wait after the first failure; it doubles with each further one."
    )
    retry_maximum_s: Annotated[float, Field(gt=0, le=86_400)] = Field(default=3600, description="The longest wait.")
    look_every_s: Annotated[float, Field(gt=0, le=60)] = Field(default=1, description="How often what is due is sent.")
    gateway_silent_s: Annotated[int, Field(ge=1)] = Field(
        default=900, description="A gateway that has not reported for so long raises an alarm."
    )


class SmtpConfig(_Model):
    """`[smtp]`: the mail server that mails are handed to."""

    host: Annotated[str, StringConstraints(min_length=1, pattern=r"^[0-9A-Za-z.:-]+$")] = Field(
        description="Its certificate must be for this name."
    )
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="`none`: not encrypted, to this machine only."
    )
    sender: Address = Field(description="From whom the mails come; bounces go there.")
    sender_name: Name = "MeterPurse"
    user: str | None = None
    password_file: FilePath | None = None
    trust_file: FilePath | None = Field(default=None, description="PEM roots in place of the system's.")
    timeout_s: TimeoutS = 30

    @whole_model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.security == "none" and self.host not in _LOOPBACK:
            raise ValueError("without encryption mails go to this machine only (localhost)")
        if (self.user is None) != (self.password_file is None):
            raise ValueError("user and password_file are told together")
        if self.user is not None and self.security == "none":
            raise ValueError("a password is not sent without encryption")
        return self


class SmsConfig(_Model):
    """`[sms]`: an HTTP service that sends short messages. `url` and `body` are templates: to, text, language, key."""

    url: Annotated[str, StringConstraints(min_length=1)] = Field(description="Use `{{ to | urlencode }}` in it.")
    method: Literal["POST", "PUT", "GET"] = "POST"
    content_type: Annotated[str, StringConstraints(pattern=_PRINTABLE)] = "application/json"
    body: str = Field(
        default='{"to": {{ to | tojson }}, "text": {{ text | tojson }}}',
        description="`| tojson` in JSON, `| urlencode` in a form.",
    )
    token_file: FilePath | None = Field(default=None, description="Sent as `Authorization: Bearer`.")
    success_pattern: str | None = Field(default=None, description="A regular expression the answer must contain.")
    allow: tuple[Network, ...] = Field(default=(), description="Networks that are not public and yet may be called.")
    trust_file: FilePath | None = None
    timeout_s: TimeoutS = 30

    @whole_model_validator(mode="after")
    def _compiles(self) -> Self:
        try:
            re.compile(self.success_pattern or "")
        except re.error as error:
            raise ValueError(f"success_pattern is no regular expression: {error}") from error
        return self


class WebhookConfig(_Model):
    """`[[webhook]]`: an address that notices are posted to as signed JSON."""

    name: Name
    url: Url
    secret_file: FilePath = Field(description="The key of the HMAC-SHA256 signature, 16 octets or more.")
    allow: tuple[Network, ...] = Field(default=(), description="Networks that are not public and yet may be called.")
    trust_file: FilePath | None = None
    timeout_s: TimeoutS = 15


class AppriseConfig(_Model):
    """`[apprise]`: whatever the apprise library can reach (the extra `meterpurse[apprise]`)."""

    timeout_s: TimeoutS = 30


class RecipientConfig(_Model):
    """`[[recipient]]`: somebody who is told. Without `meter` and `household`: of all meters."""

    name: Name = Field(description="Once; it stands in the delivery log instead of an address.")
    meter: tuple[Annotated[str, AfterValidator(_checked_title)], ...] = Field(default=(), description="System titles.")
    household: tuple[str, ...] = Field(default=(), description="Households by their name.")
    events: tuple[EventKind, ...] = Field(
        default=tuple(NoticeKind), description="Which notices; alarms only when they are named."
    )
    email: Address | None = None
    sms: Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{3,20}$")] | None = None
    webhook: str | None = Field(default=None, description="The name of a [[webhook]].")
    apprise_file: FilePath | None = Field(default=None, description="A file of apprise addresses, one a line.")
    language: Language | None = Field(default=None, description="Default: the household's.")
    time_zone: Annotated[str, AfterValidator(_checked_zone)] = "Asia/Shanghai"
    quiet_from: TimeOfDay | None = None
    quiet_until: TimeOfDay | None = None
    digest_at: TimeOfDay | None = Field(default=None, description="One message a day at this time; else at once.")

    @whole_model_validator(mode="after")
    def _coherent(self) -> Self:
        if not self.channels:
            raise ValueError("a recipient has at least one of email, sms, webhook, apprise_file")
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise ValueError("quiet_from and quiet_until are told together")
        return self

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels by their names in the delivery log: email, sms, webhook:NAME, apprise."""
        told = (
            ("email", self.email),
            ("sms", self.sms),
            (f"webhook:{self.webhook}", self.webhook),
            ("apprise", self.apprise_file),
        )
        return tuple(channel for channel, address in told if address is not None)
