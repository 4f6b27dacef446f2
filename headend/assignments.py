"""Which gateway a meter is assigned to, to fetch its commands and keys. Imported by `setup` and the routers."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update

from dlms_objects.errors import LocalError
from headend.authentication import Caller
from headend.commands import State
from headend.permissions import Role
from headend.schema import bearer_token, meter
from headend.schema_commands import command


class AssignmentError(LocalError):
    """There is no such gateway or meter in the organisation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """A meter of a gateway: how far its books reach, and how many commands wait or are under way."""

    system_title: str
    household: str
    sequence: int
    open_commands: int


def assign(connection: Connection, organisation_id: int, title: str, gateway: str | None) -> None:
    """Assign an organisation's meter to its gateway of that name (None: to none); AssignmentError: one is not there."""
    token_id = None
    if gateway is not None:
        token_id = connection.execute(
            select(bearer_token.c.id).where(
                bearer_token.c.organisation_id == organisation_id,
                bearer_token.c.name == gateway,
                bearer_token.c.role == Role.GATEWAY.value,
                bearer_token.c.revoked_at.is_(None),
            )
        ).scalar_one_or_none()
        if token_id is None:
            raise AssignmentError(f"there is no gateway named {gateway!r}; POST tokens makes one")
    assigned = connection.execute(
        update(meter)
        .where(meter.c.organisation_id == organisation_id, meter.c.system_title == title)
        .values(gateway_id=token_id)
    )
    if assigned.rowcount == 0:
        raise AssignmentError(f"no meter {title} is registered")


def assigned(connection: Connection, gateway: Caller, *, after: str, limit: int) -> list[Assigned]:
    """At most `limit` meters of a gateway with a title above `after`, by title."""
    waiting = (
        select(func.count())
        .where(command.c.meter_id == meter.c.id, command.c.state.in_((State.QUEUED.value, State.SENT.value)))
        .scalar_subquery()
        .label("waiting")
    )
    rows = connection.execute(
        select(meter.c.system_title, meter.c.household, meter.c.sequence, waiting)
        .where(meter.c.gateway_id == gateway.token_id, meter.c.system_title > after)
        .order_by(meter.c.system_title)
        .limit(limit)
    )
    return [
        Assigned(
            system_title=row.system_title,
            household=row.household,
            sequence=row.sequence,
            open_commands=row.waiting,
        )
        for row in rows
    ]
