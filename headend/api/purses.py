"""What readers call: purses, entries, mailboxes, reconciliation, fleet. Residents see their own.

Imported by `application`.
"""

from http import HTTPStatus
from typing import Annotated, TypeVar

from fastapi import APIRouter, Path, Query
from sqlalchemy import Connection

from headend import fleet, statements
from headend.api import answers
from headend.api.access import FleetReader, OpenDatabase, PurseReader
from headend.api.fields import EXAMPLE_TITLE, MAXIMUM_U32, After, Limit
from headend.api.problems import ProblemError, documented
from headend.authentication import Caller
from headend.notices import Language
from headend.visibility import seen_by

T = TypeVar("T")

router = APIRouter(
    prefix="/api/v1",
    tags=["reading"],
    responses=documented(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY),
)
_UNKNOWN = documented(HTTPStatus.NOT_FOUND)

TitleInPath = Annotated[
    str,
    Path(pattern="^[0-9A-Fa-f]{16}$", description="The meter's system title.", examples=[EXAMPLE_TITLE]),
]


@router.get("/purses", summary="All purses")
async def get_purses(caller: PurseReader, database: OpenDatabase) -> answers.Purses:
    """Every registered meter's purse as the books have it."""
    return answers.Purses(
        purses=[
            answers.Purse.of(each)
            for each in await database.read(lambda connection: statements.purses(connection, seen_by(caller)))
        ]
    )


@router.get("/purses/{system_title}", summary="One purse", responses=_UNKNOWN)
async def get_purse(caller: PurseReader, database: OpenDatabase, system_title: TitleInPath) -> answers.PurseWithItems:
    """One purse as the books have it, with its fee items as last told."""

    def work(connection: Connection) -> answers.PurseWithItems:
        purse = seen_purse(connection, caller, system_title)
        items = [answers.FeeItem.of(each) for each in statements.fee_items(connection, purse.meter_id)]
        return answers.PurseWithItems(**dict(answers.Purse.of(purse)), fee_items=items)

    return await database.read(work)


@router.get("/purses/{system_title}/entries", summary="The entries of a purse", responses=_UNKNOWN)
async def get_entries(
    caller: PurseReader, database: OpenDatabase, system_title: TitleInPath, after: After = 0, limit: Limit = 100
) -> answers.Entries:
    """Booked entries in order; `after` is a sequence number."""

    def work(connection: Connection) -> answers.Entries:
        purse = seen_purse(connection, caller, system_title)
        booked = statements.entries(connection, purse.meter_id, after=min(after, MAXIMUM_U32), limit=limit + 1)
        page = [answers.Entry.of(each, purse.currency) for each in booked[:limit]]
        return answers.Entries(entries=page, next_after=page[-1].sequence if len(booked) > limit else None)

    return await database.read(work)


@router.get("/purses/{system_title}/mailbox", summary="The notices to a household", responses=_UNKNOWN)
async def get_mailbox(  # noqa: PLR0913 - what the query may say
    caller: PurseReader,
    database: OpenDatabase,
    system_title: TitleInPath,
    language: Annotated[Language | None, Query(description="Default: the household's.")] = None,
    after: After = 0,
    limit: Limit = 100,
) -> answers.Mailbox:
    """What the household was told, oldest first: one notice per entry and per shortage; `after` is a notice's id."""

    def work(connection: Connection) -> answers.Mailbox:
        purse = seen_purse(connection, caller, system_title)
        letters = statements.mailbox(connection, purse, language=language, after=after, limit=limit + 1)
        page = [answers.Notice.of(each) for each in letters[:limit]]
        return answers.Mailbox(
            language=language or purse.language,
            notices=page,
            next_after=page[-1].id if len(letters) > limit else None,
        )

    return await database.read(work)


@router.get("/reconciliation/{system_title}", summary="The books of a meter, counted afresh", responses=_UNKNOWN)
async def get_reconciliation(
    caller: PurseReader, database: OpenDatabase, system_title: TitleInPath
) -> answers.Reconciliation:
    """Counts and sums over all entries and postings of a meter, with what was turned away."""

    def work(connection: Connection) -> answers.Reconciliation:
        counted = statements.reconciliation(connection, system_title.upper(), seen_by(caller))
        return answers.Reconciliation.of(_found(counted, system_title))

    return await database.read(work)


@router.get("/fleet", summary="Gateways and unknown meters")
async def get_fleet(caller: FleetReader, database: OpenDatabase) -> answers.Fleet:
    """The last status of every gateway, and the meters whose rows were turned away because nobody registered them."""

    def work(connection: Connection) -> answers.Fleet:
        return answers.Fleet(
            gateways=[answers.Gateway.of(each) for each in fleet.gateways(connection, caller.organisation_id)],
            unknown_meters=[
                answers.TurnedAway.of(each) for each in fleet.unknown_meters(connection, caller.organisation_id)
            ],
        )

    return await database.read(work)


def seen_purse(connection: Connection, caller: Caller, system_title: str) -> statements.Purse:
    """The purse of a meter that the caller sees; 404 when there is none."""
    return _found(statements.purse(connection, system_title.upper(), seen_by(caller)), system_title)


def _found(sought: T | None, system_title: str) -> T:
    if sought is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"no meter {system_title.upper()} is registered")
    return sought
