"""Writing lines to an InfluxDB through influxdb-client's synchronous API, and what its answers mean to us.

Only this module knows influxdb-client; its batching API is not used, for it drops points when a server fails. A call
blocks: the sink makes it in a thread. Imported by `sink`, `replay` and `service`.
"""

import json
from collections.abc import Sequence
from typing import Protocol

import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from dlms_objects.errors import RefusedError, TransportLostError
from headend.influx.target import Target
from headend.points import Refusal

LONGEST_REASON = 500
_BAD_POINTS = frozenset({400, 413, 422})
"""The answers that blame what was sent; any other failure may go away by itself or by the operator's hand."""
_TOO_OLD = "beyond retention policy"
_NO_POINTS = ("database is required", "bucket is required", "organization is required")


class PointsRefusedError(RefusedError):
    """The server refuses some of these points for what they are; the others of the request may be in or not."""


class InfluxUnavailableError(TransportLostError):
    """The server was not reached, or cannot take points now: try the same again later."""


class LineWriter(Protocol):
    """What delivery needs of a writer."""

    def write(self, lines: Sequence[str]) -> None:
        """Return when all lines are in; PointsRefusedError or InfluxUnavailableError otherwise. Blocks."""


class InfluxWriter:
    """Writes to one bucket over a kept connection."""

    def __init__(self, target: Target) -> None:
        """Nothing is connected before the first write."""
        self._target = target
        self._client = InfluxDBClient(
            target.url,
            token=target.token,  # type: ignore[arg-type]  # None is what it expects for none
            org=target.org,
            timeout=target.timeout_s * 1000,
            enable_gzip=target.gzip,
        )
        self._write_api = self._client.write_api(write_options=SYNCHRONOUS)

    def write(self, lines: Sequence[str]) -> None:
        """As `LineWriter` says. Points older than the bucket keeps are in order: the server lets them go at once."""
        try:
            self._write_api.write(bucket=self._target.bucket, record="\n".join(lines).encode())
        except ApiException as error:
            reason = _reason(error)
            if error.status not in _BAD_POINTS or any(words in reason for words in _NO_POINTS):
                raise InfluxUnavailableError(reason) from error
            if _TOO_OLD not in reason:
                raise PointsRefusedError(reason) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise InfluxUnavailableError(f"{type(error).__name__}: {error}"[:LONGEST_REASON]) from error

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()  # type: ignore[no-untyped-call]


def deliver(writer: LineWriter, lines: Sequence[str]) -> list[Refusal]:
    """Write lines, halving a refused request until the points to blame stand alone; those are returned.

    InfluxUnavailableError passes through: then any part of the lines may be in, and all may be written again. Blocks.
    """
    refusals: list[Refusal] = []
    parts = [lines]
    while parts:
        part = parts.pop()
        try:
            writer.write(part)
        except PointsRefusedError as error:
            if len(part) == 1:
                refusals.append(Refusal(line=part[0], reason=str(error)))
            else:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
    return refusals


def _reason(error: ApiException) -> str:
    """The status and the server's own words."""
    body = error.body.decode(errors="replace") if isinstance(error.body, bytes) else str(error.body or "")
    try:
        told = json.loads(body)
        words = str(told.get("error") or told.get("message") or body)
    except (ValueError, AttributeError):
        words = "" if body.startswith("<") else body  # a proxy's page says no more than its reason
    return f"{error.status} {words.strip() or error.reason}"[:LONGEST_REASON]
