"""Who may do what: one table of roles and permissions, from which every route's check and its tests come.

What is not in the table is denied. Which rows a caller sees of what he may see is `visibility`'s business. Imported by
`authentication`, `api` and `setup`.
"""

from enum import StrEnum


class Role(StrEnum):
    """What somebody is in an organisation."""

    GATEWAY = "gateway"
    """A gateway: uploads, fetches its commands and its meters' keys."""
    ADMIN = "admin"
    """Everything in the organisation but a gateway's part."""
    OPERATOR = "operator"
    """Meters, plans, bills, top-ups, commands; no users."""
    PAYEE = "payee"
    """Hands in the bills of one payee, and reads what was collected for that payee."""
    RESIDENT = "resident"
    """Reads one household's purse and statements."""
    AUDITOR = "auditor"
    """Reads everything in the organisation and changes nothing."""


class Permission(StrEnum):
    """What a route wants of its caller."""

    UPLOAD = "upload"
    READ_PURSES = "read purses"
    READ_FLEET = "read the fleet"
    READ_REGISTER = "read meters, plans and bills"
    READ_COMMANDS = "read commands"
    READ_SETTLEMENT = "read settlements"
    READ_AUDIT = "read the audit log"
    REGISTER = "change meters and plans"
    HAND_IN_BILLS = "hand in bills"
    COMMAND = "command meters"
    TOP_UP = "top up"
    CLOSE_PERIODS = "close periods"
    MANAGE_USERS = "manage users and tokens"


_READING = frozenset(
    {
        Permission.READ_PURSES,
        Permission.READ_FLEET,
        Permission.READ_REGISTER,
        Permission.READ_COMMANDS,
        Permission.READ_SETTLEMENT,
    }
)
_OPERATING = _READING | {
    Permission.REGISTER,
    Permission.HAND_IN_BILLS,
    Permission.COMMAND,
    Permission.TOP_UP,
    Permission.CLOSE_PERIODS,
}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.GATEWAY: frozenset({Permission.UPLOAD}),
    Role.ADMIN: _OPERATING | {Permission.READ_AUDIT, Permission.MANAGE_USERS},
    Role.OPERATOR: _OPERATING,
    Role.PAYEE: frozenset({Permission.READ_SETTLEMENT, Permission.HAND_IN_BILLS}),
    Role.RESIDENT: frozenset({Permission.READ_PURSES}),
    Role.AUDITOR: _READING | {Permission.READ_AUDIT},
}
"""Default deny: a permission that is not named here is not had."""
