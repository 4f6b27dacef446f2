"""InfluxDB's line protocol, as far as we write it: tags, integer fields, a timestamp in nanoseconds.

Every number is a whole one and is written as such, so what InfluxDB holds is exact. Imported by `measurements`.
"""

import re
from collections.abc import Mapping

MINIMUM_FIELD = -(2**63)
MAXIMUM_FIELD = 2**63 - 1

_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]+")
_SPECIAL = re.compile(r"([,= ])")


def tag_value(text: str) -> str:
    """A text as the value of a tag; what line protocol cannot carry becomes a space, and no text at all a dash."""
    return _SPECIAL.sub(r"\\\1", _CONTROL.sub(" ", text).strip()) or "-"


def line(measurement: str, tags: Mapping[str, str], fields: Mapping[str, int], timestamp_ns: int) -> str:
    """One point. `measurement` and the keys are plain names of ours; tag values are made by `tag_value`.

    `fields` is not empty and each value is within MINIMUM_FIELD..MAXIMUM_FIELD (InfluxDB refuses the point otherwise).
    """
    keys = "".join([f",{key}={text}" for key, text in tags.items()])
    values = ",".join([f"{key}={number}i" for key, number in fields.items()])
    return f"{measurement}{keys} {values} {timestamp_ns}"
