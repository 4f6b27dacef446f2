"""Series and pictures of a purse for pages and mails: JSON, and SVG without any script. Residents see their own.

Imported by `application`.
"""

from datetime import date
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from headend import pictures
from headend.api.access import OpenDatabase, PurseReader
from headend.api.fields import Amount, CurrencyModel, amount
from headend.api.problems import documented
from headend.api.purses import TitleInPath, seen_purse
from headend.authentication import Caller
from headend.notices import Language
from headend.series import Month, month_series
from headend.statements import Purse

router = APIRouter(
    prefix="/api/v1/purses/{system_title}",
    tags=["reading"],
    responses=documented(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)

MonthInPath = Annotated[
    str, Path(pattern="^20[0-9]{2}-(0[1-9]|1[0-2])$", description="A civil month.", examples=["2026-03"])
]


class Day(BaseModel):
    """The balance at the end of a day."""

    day: date
    balance: Amount


class Share(BaseModel):
    """What a fee item took in the month, less what was given back."""

    fee_item: int
    label: str
    payee: str
    amount: Amount


class Series(BaseModel):
    """One month of a purse in the household's zone."""

    month: str = Field(examples=["2026-03"])
    currency: CurrencyModel | None
    days: list[Day] = Field(description="From the first to the last day, or to that of the newest entry.")
    shares: list[Share]


@router.get("/series/{month}", summary="A month's balance by day, and its fees")
async def get_series(
    caller: PurseReader, database: OpenDatabase, system_title: TitleInPath, month: MonthInPath
) -> Series:
    """The figures behind the pictures."""
    shown, series = await database.read(lambda connection: _month(connection, caller, system_title, month))
    currency = shown.currency
    return Series(
        month=month,
        currency=None if currency is None else CurrencyModel(code=currency.code, scale=currency.scale),
        days=[Day(day=each.day, balance=amount(each.balance_minor, currency)) for each in series.days],
        shares=[
            Share(
                fee_item=each.fee_item,
                label=each.label,
                payee=each.payee,
                amount=amount(each.amount_minor, currency),
            )
            for each in series.totals
        ],
    )


@router.get(
    "/pictures/{month}/{name}.svg",
    summary="A month as a picture",
    response_class=Response,
    responses={HTTPStatus.OK.value: {"content": {"image/svg+xml": {}}}},
)
async def get_picture(  # noqa: PLR0913 - what the address says
    caller: PurseReader,
    database: OpenDatabase,
    system_title: TitleInPath,
    month: MonthInPath,
    name: Literal["balance", "shares"],
    language: Annotated[Language | None, Query(description="Default: the household's.")] = None,
) -> Response:
    """`balance`: the balance by day; `shares`: the fees, the dearest first."""
    shown, series = await database.read(lambda connection: _month(connection, caller, system_title, month))
    draw = pictures.balance_svg if name == "balance" else pictures.shares_svg
    svg = draw(series, language=language or shown.language, currency=shown.currency)
    return Response(svg, media_type="image/svg+xml")


def _month(connection: Connection, caller: Caller, system_title: str, month: str) -> tuple[Purse, Month]:
    found = seen_purse(connection, caller, system_title)
    return found, month_series(connection, found, month)
