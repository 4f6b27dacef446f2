"""A meter is assigned to a gateway of its own organisation."""

import pytest
from sqlalchemy import Connection

from headend.assignments import Assigned, AssignmentError, assign, assigned
from headend.authentication import FIRST_ORGANISATION, revoke_token
from headend.commands import enqueue
from headend.users import add_organisation
from tests.support.headend_books import OTHER_TITLE, TITLE
from tests.support.headend_commands import NOW, OPERATOR, gateway, reading


def test_a_gateway_sees_its_meters_in_pages_with_what_waits(connection: Connection) -> None:
    north = gateway(connection)
    enqueue(connection, OPERATOR, reading(), now=NOW)
    first = assigned(connection, north, after="", limit=1)
    assert first == [Assigned(system_title=str(TITLE), household="一号楼301", sequence=0, open_commands=1)]
    assert [each.system_title for each in assigned(connection, north, after=str(TITLE), limit=9)] == [str(OTHER_TITLE)]
    assign(connection, FIRST_ORGANISATION, str(TITLE), None)
    assert [each.system_title for each in assigned(connection, north, after="", limit=9)] == [str(OTHER_TITLE)]


def test_what_is_not_there_is_refused(connection: Connection) -> None:
    north = gateway(connection)
    for organisation, title, name in (
        (FIRST_ORGANISATION, str(TITLE), "south"),
        (add_organisation(connection, "other"), str(TITLE), north.name),
        (FIRST_ORGANISATION, "F" * 16, north.name),
    ):
        with pytest.raises(AssignmentError):
            assign(connection, organisation, title, name)
    revoke_token(connection, FIRST_ORGANISATION, north.name, now=NOW)
    with pytest.raises(AssignmentError, match="no gateway named 'north'"):
        assign(connection, FIRST_ORGANISATION, str(TITLE), north.name)
