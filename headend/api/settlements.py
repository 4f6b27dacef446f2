"""What is owed to payees: open totals, closed periods as JSON and CSV, closing one. A payee sees its own only.

Imported by `application`.
"""

import csv
import hashlib
import io
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Path, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from dlms_objects.errors import InvalidValueError, LocalError
from dlms_objects.values.money import Currency, Money
from headend import audit, settled, settlement
from headend.api.access import IdempotencyKey, OpenDatabase, PeriodCloser, SettlementReader
from headend.api.fields import After, Amount, CurrencyModel, Limit, amount, instant_or_civil
from headend.api.idempotent import answered_once
from headend.api.problems import ProblemError, documented
from headend.authentication import Caller
from headend.idempotency import KeyUsedError
from headend.settlement import Line, PeriodEnd, SettlementError, Sums
from headend.visibility import payables_seen_by

PayeeInPath = Annotated[str, Path(max_length=255, description="The payee's name.", examples=["landlord"])]
NumberInPath = Annotated[int, Path(ge=1, le=2**31 - 1, description="The period's number.")]
IfNoneMatch = Annotated[str | None, Header(description="ETags that the caller has.")]

router = APIRouter(
    prefix="/api/v1/settlements",
    tags=["settlement"],
    responses=documented(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY),
)
_UNKNOWN = documented(HTTPStatus.NOT_FOUND)
_REFUSALS: dict[type[LocalError], HTTPStatus] = {
    InvalidValueError: HTTPStatus.UNPROCESSABLE_ENTITY,
    SettlementError: HTTPStatus.CONFLICT,
    KeyUsedError: HTTPStatus.CONFLICT,
}
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - a spreadsheet takes them alike
_COLUMNS = (
    *("number", "system_title", "household", "sequence", "kind", "item"),
    *("due", "time", "amount", "currency", "late"),
)


class Totals(BaseModel):
    """Sums of entries."""

    collected: Amount
    reversed: Amount = Field(description="What was given back to households.")
    payable: Amount = Field(description="Collected less reversed.")
    entries: int
    late_entries: int = Field(description="Entries made before an earlier period's end that came after its closing.")

    @classmethod
    def of(cls, sums: Sums, currency: Currency) -> "Totals":
        """Sums as JSON."""
        return cls(
            collected=amount(sums.collected_minor, currency),
            reversed=amount(sums.reversed_minor, currency),
            payable=amount(sums.payable_minor, currency),
            entries=sums.entries,
            late_entries=sums.late_entries,
        )


class OpenPayee(BaseModel):
    """What is in no closed period of a payee."""

    payee: str
    currency: CurrencyModel
    closed_until: datetime | None
    open: Totals


class OpenPayees(BaseModel):
    """The payees that are seen."""

    payees: list[OpenPayee]


class Period(BaseModel):
    """A closed period; it never changes."""

    payee: str
    number: int
    currency: CurrencyModel
    begins_at: datetime | None = Field(description="Null: from the beginning.")
    ends_at: datetime = Field(description="The first instant after it.")
    end_day: date = Field(description="The first civil day after it.")
    time_zone: str
    totals: Totals
    closed_at: datetime
    closed_by: str

    @classmethod
    def of(cls, closed: settled.Period) -> "Period":
        """A closed period as JSON."""
        same = ("payee", "number", "begins_at", "ends_at", "end_day", "time_zone", "closed_at", "closed_by")
        return cls(
            currency=CurrencyModel(code=closed.currency.code, scale=closed.currency.scale),
            totals=Totals.of(closed.sums, closed.currency),
            **{name: getattr(closed, name) for name in same},
        )


class Item(BaseModel):
    """What was collected for a kind of fee."""

    kind: int = Field(description="The object model's kind.")
    label: str
    totals: Totals


class SettledLine(BaseModel):
    """One entry of a closed period."""

    number: int = Field(description="Counted from 1 in the period.")
    system_title: str
    household: str = Field(description="As it was called when the period was closed.")
    sequence: int
    kind: str = Field(description="deduction or reversal.")
    fee_item: int
    label: str
    due: datetime | None
    time: datetime | None = Field(description="When the meter did it.")
    amount: Amount = Field(description="Below zero: given back.")
    is_late: bool

    @classmethod
    def of(cls, line: Line, currency: Currency) -> "SettledLine":
        """A line as JSON."""
        same = ("number", "system_title", "household", "sequence", "fee_item", "label", "is_late")
        return cls(
            kind=line.kind.name.lower(),
            due=instant_or_civil(line.due),
            time=instant_or_civil(line.time),
            amount=amount(line.amount_minor, currency),
            **{name: getattr(line, name) for name in same},
        )


class WholePeriod(BaseModel):
    """A closed period, its sums by item, and a page of its lines."""

    period: Period
    items: list[Item]
    lines: list[SettledLine]
    next_after: int | None = Field(description="`after` of the next page; null on the last one.")


class Periods(BaseModel):
    """A page of closed periods, oldest first."""

    periods: list[Period]
    next_after: int | None = Field(description="`after` of the next page; null on the last one.")


class ClosedPeriods(BaseModel):
    """The periods that were closed, one for each currency of the payee."""

    periods: list[Period]


class PeriodWanted(BaseModel):
    """Up to where a payee's books are to be closed."""

    model_config = ConfigDict(extra="forbid")

    end: date = Field(description="The first civil day that is no longer in the period.", examples=["2026-02-01"])
    time_zone: str = Field(max_length=64, examples=["Asia/Shanghai"])


@router.get("", summary="What is owed to each payee and not closed yet")
async def get_settlements(caller: SettlementReader, database: OpenDatabase) -> OpenPayees:
    """Open totals by payee and currency."""

    def work(connection: Connection) -> list[OpenPayee]:
        return [
            OpenPayee(
                payee=each.payee,
                currency=CurrencyModel(code=each.currency.code, scale=each.currency.scale),
                closed_until=each.closed_until,
                open=Totals.of(Sums.of(settlement.open_lines(connection, each)), each.currency),
            )
            for each in settlement.payables(connection, payables_seen_by(caller))
        ]

    return OpenPayees(payees=await database.read(work))


@router.get("/{payee}/periods", summary="A payee's closed periods")
async def get_periods(
    caller: SettlementReader, database: OpenDatabase, payee: PayeeInPath, after: After = 0, limit: Limit = 100
) -> Periods:
    """Oldest first; `after` is a period's number."""
    found = await database.read(
        lambda connection: settled.periods(connection, payee, payables_seen_by(caller), after=after, limit=limit + 1)
    )
    page = [Period.of(each) for each in found[:limit]]
    return Periods(periods=page, next_after=page[-1].number if len(found) > limit else None)


@router.get(
    "/{payee}/periods/{number}.csv",
    summary="A closed period as a table",
    response_class=Response,
    responses=_UNKNOWN | {HTTPStatus.OK.value: {"content": {"text/csv": {}}}},
)
async def get_period_csv(
    caller: SettlementReader,
    database: OpenDatabase,
    payee: PayeeInPath,
    number: NumberInPath,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """All entries of the period: RFC 4180, UTF-8, exact amounts; no text of it is a formula to a spreadsheet."""

    def work(connection: Connection) -> tuple[settled.Period, list[Line]]:
        closed = _found(connection, caller, payee, number)
        return closed, settled.lines(connection, closed.period_id)

    closed, lines = await database.read(work)
    return _tagged(_csv(lines, closed.currency).encode(), "text/csv; charset=utf-8; header=present", if_none_match)


@router.get("/{payee}/periods/{number}", summary="A closed period", responses=_UNKNOWN, response_model=WholePeriod)
async def get_period(  # noqa: PLR0913 - what the address and the query say
    caller: SettlementReader,
    database: OpenDatabase,
    payee: PayeeInPath,
    number: NumberInPath,
    after: After = 0,
    limit: Limit = 100,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Totals, sums by item, and lines; `after` is a line's number."""

    def work(connection: Connection) -> WholePeriod:
        closed = _found(connection, caller, payee, number)
        sums = settled.item_sums(connection, closed.period_id)
        lines = settled.lines(connection, closed.period_id, after=after, limit=limit + 1)
        return WholePeriod(
            period=Period.of(closed),
            items=[
                Item(kind=kind, label=label, totals=Totals.of(each, closed.currency))
                for (kind, label), each in sums.items()
            ],
            lines=[SettledLine.of(each, closed.currency) for each in lines[:limit]],
            next_after=lines[limit - 1].number if len(lines) > limit else None,
        )

    found = await database.read(work)
    return _tagged(found.model_dump_json().encode(), "application/json", if_none_match)


@router.post(
    "/{payee}/close",
    summary="Close a period",
    responses=_UNKNOWN | documented(HTTPStatus.CONFLICT),
    response_model=ClosedPeriods,
)
async def post_close(
    caller: PeriodCloser,
    database: OpenDatabase,
    payee: PayeeInPath,
    key: IdempotencyKey,
    sent: PeriodWanted,
) -> JSONResponse:
    """Close what was made before `end`, for ever; what comes later falls into the next period."""
    end = PeriodEnd(day=sent.end, zone=sent.time_zone)

    def work(connection: Connection, now: datetime) -> ClosedPeriods:
        return _close(connection, caller, payee, end, now)

    content = [payee, sent.model_dump(mode="json")]
    return await answered_once(
        database, caller, key, "close period", content, work, refusals=_REFUSALS, status=HTTPStatus.OK
    )


def _close(connection: Connection, caller: Caller, payee: str, end: PeriodEnd, now: datetime) -> ClosedPeriods:
    seen, by = payables_seen_by(caller), f"{caller.role.value} {caller.name}"
    found = settlement.payables(connection, seen, payee=payee)
    if not found:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"nothing was ever collected for {payee}")
    numbers = [settlement.close(connection, each, end, by=by, now=now) for each in found]
    told = {"end": end.day.isoformat(), "time_zone": end.zone, "numbers": numbers}
    audit.record(connection, caller, "close period", payee, now=now, detail=told)
    closed = settled.periods(connection, payee, seen, after=numbers[0] - 1, limit=len(numbers))
    return ClosedPeriods(periods=[Period.of(each) for each in closed])


def _found(connection: Connection, caller: Caller, payee: str, number: int) -> settled.Period:
    closed = settled.period(connection, payee, number, payables_seen_by(caller))
    if closed is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"{payee} has no closed period {number}")
    return closed


def _tagged(body: bytes, media_type: str, if_none_match: str | None) -> Response:
    """The document, or 304 when the caller has it already."""
    tag = f'"{hashlib.sha256(body).hexdigest()}"'
    if if_none_match is not None and (tag in if_none_match or if_none_match.strip() == "*"):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": tag})
    return Response(body, media_type=media_type, headers={"ETag": tag})


def _csv(lines: list[Line], currency: Currency) -> str:
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(_COLUMNS)
    for line in lines:
        due, made = instant_or_civil(line.due), instant_or_civil(line.time)
        writer.writerow(
            (
                line.number,
                line.system_title,
                _harmless(line.household),
                line.sequence,
                line.kind.name.lower(),
                _harmless(line.label),
                "" if due is None else due.isoformat(),
                "" if made is None else made.isoformat(),
                Money(line.amount_minor, currency).decimal_text(),
                currency.code,
                int(line.is_late),
            )
        )
    return table.getvalue()


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_RISKY) else text
