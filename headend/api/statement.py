"""Where did my money go: a household's statement between two days. Imported by `application`."""

from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from headend.api.access import OpenDatabase, PurseReader
from headend.api.answers import Entry
from headend.api.fields import Amount, amount
from headend.api.pictures import Share
from headend.api.problems import ProblemError, documented
from headend.api.purses import TitleInPath, seen_purse
from headend.delivery_path import Path
from headend.spending import Spent, TooMuchError, spending

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)

router = APIRouter(
    prefix="/api/v1/purses/{system_title}/statement",
    tags=["reading"],
    responses=documented(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
Day = Annotated[date, Query(ge=FIRST_DAY, le=LAST_DAY, examples=["2026-03-01"])]


class SpentEntry(Entry):
    """An entry with what it changed and how it came here."""

    balance_before: Amount
    path: Path | None = Field(description="Null when it came before paths were noted.")
    arrived_at: datetime | None

    @classmethod
    def shown(cls, spent: Spent, entry: Entry, before: Amount) -> "SpentEntry":
        """An entry of a statement as JSON."""
        delivery = spent.delivery
        return cls(
            **dict(entry),
            balance_before=before,
            path=None if delivery is None else delivery.path,
            arrived_at=None if delivery is None else delivery.at,
        )


class Statement(BaseModel):
    """From the first day to the last, both included, in the household's zone."""

    household: str
    first: date
    last: date
    balance_before: Amount
    balance_after: Amount
    entries: list[SpentEntry] = Field(description="Oldest first; `revision` is the version of the fee's parameters.")
    fees: list[Share] = Field(description="What each fee item took, less what was given back.")


@router.get("", summary="Where the money went")
async def get_statement(
    caller: PurseReader, database: OpenDatabase, system_title: TitleInPath, first: Day, last: Day
) -> Statement:
    """Every entry from the day `first` to the day `last`: before and after, due and executed, and how it came here."""

    def work(connection: Connection) -> Statement:
        found = seen_purse(connection, caller, system_title)
        told = spending(connection, found, first, last + timedelta(days=1))
        currency = found.currency
        return Statement(
            household=found.household,
            first=first,
            last=last,
            balance_before=amount(told.balance_before, currency),
            balance_after=amount(told.balance_after, currency),
            entries=[
                SpentEntry.shown(
                    each,
                    Entry.of(each.booked, currency),
                    amount(each.booked.entry.balance - each.booked.entry.amount, currency),
                )
                for each in told.spent
            ],
            fees=[
                Share(
                    fee_item=each.fee_item,
                    label=each.label,
                    payee=each.payee,
                    amount=amount(each.amount_minor, currency),
                )
                for each in told.totals
            ],
        )

    if last < first:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"the last day, {last}, is before the first, {first}")
    try:
        return await database.read(work)
    except TooMuchError as error:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
