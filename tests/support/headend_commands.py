"""A head-end with a gateway, an operator and two assigned meters: shared by the tests of commands."""

from datetime import UTC, datetime

from sqlalchemy import Connection

from headend.assignments import assign
from headend.authentication import FIRST_ORGANISATION, Caller, new_token, store_token
from headend.command_kinds import CommandKind
from headend.commands import NewCommand
from headend.permissions import Role
from tests.support.headend_books import OTHER_TITLE, TITLE

NOW = datetime(2026, 7, 1, 8, tzinfo=UTC)
OPERATOR = Caller(organisation_id=FIRST_ORGANISATION, name="olga", role=Role.OPERATOR)
ID = "00" * 15 + "01"


def gateway(connection: Connection, name: str = "north", *, meters: bool = True) -> Caller:
    """A gateway with a token of its own; both meters are assigned to it unless told otherwise."""
    number = store_token(connection, name=name, role=Role.GATEWAY, token=new_token())
    if meters:
        for title in (TITLE, OTHER_TITLE):
            assign(connection, FIRST_ORGANISATION, str(title), name)
    return Caller(organisation_id=FIRST_ORGANISATION, name=name, role=Role.GATEWAY, token_id=number)


def reading(number: int = 1, **changed: object) -> NewCommand:
    """A harmless command for the first meter: read fee item 1."""
    told: dict[str, object] = {
        "command_id": f"{number:032x}",
        "system_title": str(TITLE),
        "kind": CommandKind.READ_FEE_ITEM,
        "parameters": {"number": 1},
    }
    return NewCommand(**told | changed)  # type: ignore[arg-type]
