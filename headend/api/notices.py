"""What operators ask about notices: the log of deliveries, a preview, a test.

Recipients are those of `headend.toml`: of whoever runs the head-end, the first organisation.
Imported by `application`.
"""

from datetime import UTC, datetime
from http import HTTPStatus

from fastapi import APIRouter
from pydantic import BaseModel, Field

from headend.alarms import AlarmKind
from headend.api.access import FleetReader, OpenDatabase, Operator, Recipients
from headend.api.fields import EXAMPLE_TITLE, After, Limit
from headend.api.problems import ProblemError, documented
from headend.authentication import FIRST_ORGANISATION
from headend.delivery import log
from headend.delivery.plan import plan_test
from headend.delivery.preview import preview
from headend.notices import Language, NoticeKind

router = APIRouter(
    prefix="/api/v1/notices",
    tags=["notices"],
    responses=documented(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY),
)


class Delivery(BaseModel):
    """One notice or alarm on its way to one recipient by one channel; no address, no text."""

    id: int
    recipient: str = Field(examples=["resident-1204"])
    channel: str = Field(description="email, sms, apprise or webhook:NAME.", examples=["email"])
    kind: str = Field(examples=["deduction"])
    system_title: str | None = Field(description="Null for an alarm.", examples=[EXAMPLE_TITLE])
    subject: str = Field(description="The household; of an alarm: the meter, gateway or recipient it is about.")
    number: int
    state: log.State = Field(description="pending, sending, sent, failed (is tried again) or dead (given up).")
    attempts: int
    planned_at: datetime
    due_at: datetime = Field(description="Not sent before: quiet hours, digest, or the wait after a failure.")
    changed_at: datetime
    reason: str | None = Field(description="Why it failed last, in the other side's words where it said any.")

    @classmethod
    def of(cls, delivery: log.Delivery) -> "Delivery":
        """A row of the log as JSON."""
        told = {name: getattr(delivery, name) for name in cls.model_fields if name != "id"}
        return cls(id=delivery.delivery_id, **told)


class Deliveries(BaseModel):
    """A page of the log, oldest first."""

    deliveries: list[Delivery]
    next_after: int | None = Field(description="`after` of the next page; null on the last one.")


class Preview(BaseModel):
    """A notice in each form it can take."""

    subject: str
    body: str
    short: str
    html: str


class TestWanted(BaseModel):
    """To whom a test is to be sent."""

    model_config = {"extra": "forbid"}

    recipient: str


class TestPlanned(BaseModel):
    """The deliveries of a test; the log shows what becomes of them."""

    deliveries: list[int]


@router.get("/deliveries", summary="The log of deliveries")
async def get_deliveries(  # noqa: PLR0913 - what the query may say
    caller: FleetReader,
    database: OpenDatabase,
    state: log.State | None = None,
    recipient: str | None = None,
    after: After = 0,
    limit: Limit = 100,
) -> Deliveries:
    """What was sent to whom, what waits, what failed and why; also what came back later (`bounced: …`)."""
    found = await database.read(
        lambda connection: log.deliveries(
            connection, caller.organisation_id, state=state, recipient=recipient, after=after, limit=limit + 1
        )
    )
    page = [Delivery.of(each) for each in found[:limit]]
    return Deliveries(deliveries=page, next_after=page[-1].id if len(found) > limit else None)


@router.get("/preview", summary="A notice as it would read")
async def get_preview(_caller: FleetReader, kind: NoticeKind | AlarmKind, language: Language = "en") -> Preview:
    """A notice with made-up facts, in all forms."""
    message = preview(kind, language)
    return Preview(subject=message.text.subject, body=message.text.body, short=message.short, html=message.html)


@router.post(
    "/test", summary="Send a test", status_code=HTTPStatus.ACCEPTED, responses=documented(HTTPStatus.NOT_FOUND)
)
async def post_test(
    caller: Operator, database: OpenDatabase, recipients: Recipients, wanted: TestWanted
) -> TestPlanned:
    """Send a test to a recipient by all its channels, at once, whatever the hour."""
    recipient = next((each for each in recipients if each.name == wanted.recipient), None)
    if recipient is None or caller.organisation_id != FIRST_ORGANISATION:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"no recipient {wanted.recipient!r} is configured")
    now = datetime.now(UTC)
    return TestPlanned(deliveries=await database.write(lambda connection: plan_test(connection, recipient, now=now)))
