"""A caller sees the meters of his organisation, a resident those of his household."""

import pytest
from sqlalchemy import Connection, select

from headend.authentication import FIRST_ORGANISATION, Caller
from headend.books import RegisteredElsewhereError, register
from headend.config import MeterConfig
from headend.permissions import Role
from headend.schema import meter
from headend.users import add_organisation
from headend.visibility import EVERY_METER, Condition, seen_by
from tests.support.headend_books import OTHER_TITLE, TITLE, UNKNOWN_TITLE


def titles(connection: Connection, seen: Condition) -> set[str]:
    return set(connection.execute(select(meter.c.system_title).where(seen)).scalars())


def test_each_organisation_sees_its_own(connection: Connection) -> None:
    other = add_organisation(connection, "other")
    register(connection, MeterConfig(system_title=str(UNKNOWN_TITLE), household="一号楼301"), organisation_id=other)
    both = {str(TITLE), str(OTHER_TITLE)}
    for role in (Role.ADMIN, Role.OPERATOR, Role.AUDITOR, Role.GATEWAY):
        assert titles(connection, seen_by(Caller(organisation_id=FIRST_ORGANISATION, name="x", role=role))) == both
        assert titles(connection, seen_by(Caller(organisation_id=other, name="x", role=role))) == {str(UNKNOWN_TITLE)}
    resident = Caller(organisation_id=FIRST_ORGANISATION, name="x", role=Role.RESIDENT, household="一号楼301")
    assert titles(connection, seen_by(resident)) == {str(TITLE)}
    payee = Caller(organisation_id=FIRST_ORGANISATION, name="x", role=Role.PAYEE, payee="landlord")
    assert titles(connection, seen_by(payee)) == set()
    assert titles(connection, EVERY_METER) == both | {str(UNKNOWN_TITLE)}


def test_a_meter_of_another_organisation_cannot_be_taken(connection: Connection) -> None:
    other = add_organisation(connection, "other")
    with pytest.raises(RegisteredElsewhereError, match="it is another organisation's"):
        register(connection, MeterConfig(system_title=str(TITLE), household="mine"), organisation_id=other)
