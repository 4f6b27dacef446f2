"""The InfluxDB that is configured: its address, what to show there, and the bucket.

Imported by the other modules here, by `service`, and by the composition root.
"""

from dataclasses import dataclass, field
from typing import Self

from dlms_objects.errors import LocalError
from headend.config import InfluxConfig


class TokenUnreadableError(LocalError):
    """The file with the API token cannot be read; `influx.token_file` of the configuration names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One bucket. `token` None: none is sent."""

    url: str
    token: str | None = field(repr=False)
    org: str
    bucket: str
    timeout_s: int
    gzip: bool

    @classmethod
    def of(cls, config: InfluxConfig) -> Self:
        """The configured one; TokenUnreadableError when its token cannot be had."""
        try:
            token = None if config.token_file is None else config.token_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise TokenUnreadableError(f"the token of InfluxDB cannot be read: {error}") from error
        return cls(
            url=config.url,
            token=token,
            org=config.org,
            bucket=config.bucket,
            timeout_s=config.timeout_s,
            gzip=config.gzip,
        )
