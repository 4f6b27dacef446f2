"""Field types that the request and answer models share: titles, octets in text, COSEM times, exact money.

Imported by the model modules of this package.
"""

import base64
import binascii
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema

from dlms_objects.purse.entry import ROW_LENGTH
from dlms_objects.values import money
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.system_title import SystemTitle

EXAMPLE_TITLE = "4D50520000000001"
EXAMPLE_TIME = "07EA0C010208000000FE2000"
EXAMPLE_ROW = (
    "AgoJDAfqAQEECQAAAP4gAAYAAAABFgIRAAkM////////////gAD/FAAAAAAAB6EgFA"
    "AAAAAAB6EgCRAAAAAAAAAAAAAAAAAAAAABBgAAAAAJEN/0kYJSbVe0ABvzcEDr9s0="
)
MAXIMUM_U32 = 2**32 - 1
MAXIMUM_PAGE = 1000


def _title(told: Any) -> Any:
    return SystemTitle.parse(told) if isinstance(told, str) else told


def _rows(told: Any) -> Any:
    if not isinstance(told, str):
        raise ValueError("a text in base64 is wanted")
    try:
        octets = base64.b64decode(told, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"not base64: {error}") from error
    if len(octets) % ROW_LENGTH:
        raise ValueError(f"rows are {ROW_LENGTH} octets each, {len(octets)} is no multiple of that")
    return octets


def _cosem_time(told: Any) -> Any:
    if not isinstance(told, str):
        raise ValueError("24 hexadecimal digits are wanted")
    try:
        return CosemDateTime(bytes.fromhex(told))
    except ValueError as error:
        raise ValueError(f"not a COSEM date-time: {error}") from error


Title = Annotated[
    SystemTitle,
    BeforeValidator(_title),
    WithJsonSchema({"type": "string", "pattern": "^[0-9A-Fa-f]{16}$", "examples": [EXAMPLE_TITLE]}),
]
"""A system title, 16 hexadecimal digits."""

Rows = Annotated[
    bytes,
    BeforeValidator(_rows),
    WithJsonSchema({"type": "string", "contentEncoding": "base64", "examples": [EXAMPLE_ROW]}),
]
"""Journal rows in base64, 98 octets each."""

CosemTimeText = Annotated[
    CosemDateTime,
    BeforeValidator(_cosem_time),
    WithJsonSchema({"type": "string", "pattern": "^[0-9A-Fa-f]{24}$", "examples": [EXAMPLE_TIME]}),
]
"""A COSEM date-time, 24 hexadecimal digits."""

Unsigned8 = Annotated[int, Field(strict=True, ge=0, le=255)]
Unsigned16 = Annotated[int, Field(strict=True, ge=0, le=65535)]
Unsigned32 = Annotated[int, Field(strict=True, ge=0, le=MAXIMUM_U32)]
Sequence32 = Annotated[int, Field(strict=True, ge=1, le=MAXIMUM_U32)]
Signed64 = Annotated[int, Field(strict=True, ge=money.MINIMUM_MINOR, le=money.MAXIMUM_MINOR)]


After = Annotated[int, Query(ge=0, le=2**63 - 1, description="Show what comes after this one.")]
Limit = Annotated[int, Query(ge=1, le=MAXIMUM_PAGE, description="At most so many.")]


class CurrencyModel(BaseModel):
    """A currency; one minor unit is 10^scale of it."""

    model_config = {"extra": "forbid"}

    code: Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217.", examples=["CNY"])]
    scale: Annotated[int, Field(strict=True, ge=-9, le=0, description="-2: minor units are hundredths.", examples=[-2])]


class Amount(BaseModel):
    """An exact amount."""

    minor: int = Field(description="Whole minor units, signed.", examples=[-350000])
    text: str | None = Field(
        description="The same as a decimal number; null until the currency is known.", examples=["-3500.00"]
    )


def amount(minor: int, currency: money.Currency | None) -> Amount:
    """An amount of minor units, in both forms."""
    return Amount(minor=minor, text=None if currency is None else money.Money(minor, currency).decimal_text())


def instant_or_civil(stamp: CosemDateTime) -> datetime | None:
    """A COSEM time for JSON: with its offset where it has one, naive when it is civil, None when not specified."""
    civil, deviation = stamp.civil(), stamp.deviation_minutes
    if civil is None or deviation is None:
        return civil
    return civil.replace(tzinfo=timezone(timedelta(minutes=-deviation)))
