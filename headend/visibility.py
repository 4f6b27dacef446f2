"""Which rows a caller sees: those of his organisation, and a resident only his household's.

Every query for a caller goes through here, so that a row of another organisation is not there at all. Imported by
`statements`, `registry` and whatever reads for a caller.
"""

from typing import TypeAlias

from sqlalchemy import ColumnElement, and_, false, true

from headend.authentication import Caller
from headend.ledger import UNASSIGNED, payable_account
from headend.permissions import Role
from headend.schema import account, meter

Condition: TypeAlias = ColumnElement[bool]
"""Of a query on `meter`; `payables_seen_by`: of one on `account`."""

EVERY_METER: Condition = true()
"""For the head-end's own work, which is no caller's."""


def seen_by(caller: Caller) -> Condition:
    """The condition on `meter` for the meters that a caller sees; a payee sees none."""
    own = meter.c.organisation_id == caller.organisation_id
    if caller.role is Role.PAYEE:
        return false()
    if caller.role is Role.RESIDENT:
        return and_(own, meter.c.household == caller.household)
    return own


def payables_seen_by(caller: Caller) -> Condition:
    """The condition on `account`, of the payees' accounts, for those that a caller sees: a payee its own only."""
    own = account.c.organisation_id == caller.organisation_id
    if caller.role is Role.PAYEE:
        return and_(own, account.c.name == payable_account(caller.payee or ""), account.c.name != UNASSIGNED)
    return own if caller.role is not Role.RESIDENT else false()
