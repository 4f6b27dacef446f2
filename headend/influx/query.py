"""Reading InfluxDB back by InfluxQL, which InfluxDB 1, 2 and 3 all answer on `/query`.

Blocks; for commands and tests, not for the service. Imported by `replay` and the composition root.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from dlms_objects.errors import RefusedError, RemoteError, TransportLostError
from headend.influx.target import Target


class QueryRefusedError(RefusedError):
    """InfluxDB refused a query, in its own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series of an answer: the tags it is grouped by, and its rows as dictionaries by column."""

    measurement: str
    tags: dict[str, str]
    rows: tuple[dict[str, Any], ...]


def query(target: Target, statement: str) -> list[Series]:
    """The series that one InfluxQL statement finds; times are nanoseconds since 1970, whole numbers are exact.

    QueryRefusedError for a statement InfluxDB does not like, TransportLostError when it is not reached.
    """
    parameters = urlencode({"db": target.bucket, "q": statement, "epoch": "ns"})
    headers = {} if target.token is None else {"Authorization": f"Token {target.token}"}
    asked = Request(f"{target.url}/query?{parameters}", headers=headers)  # noqa: S310 - the scheme is checked
    try:
        with urlopen(asked, timeout=target.timeout_s) as answer:
            document = json.load(answer)
    except HTTPError as error:
        raise QueryRefusedError(f"{error.code} {error.read().decode(errors='replace').strip()}") from error
    except (URLError, OSError) as error:
        raise TransportLostError(f"InfluxDB at {target.url} does not answer: {error}") from error
    except ValueError as error:
        raise RemoteError(f"what answers at {target.url}/query is no InfluxDB: {error}") from error
    return list(_series(document))


def _series(document: dict[str, Any]) -> Iterator[Series]:
    for result in document.get("results", ()):
        if "error" in result:
            raise QueryRefusedError(str(result["error"]))
        for found in result.get("series", ()):
            columns = found["columns"]
            yield Series(
                measurement=found["name"],
                tags=found.get("tags", {}),
                rows=tuple(dict(zip(columns, values, strict=True)) for values in found["values"]),
            )
