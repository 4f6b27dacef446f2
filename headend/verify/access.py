"""Who may do what, and with which keys: sealed keys that open, tokens and people that make sense.

No finding holds a key, a token or a password. Imported by `whole`.
"""

from sqlalchemy import Connection, func, not_, or_, select

from dlms_objects.transport.credentials import KEY_LENGTH
from dlms_objects.wire.cipher_keys import key_name
from headend.permissions import Role
from headend.root_key import RootKey, RootKeyError
from headend.schema import bearer_token, courier_key, meter
from headend.schema_access import user_account
from headend.verify.findings import Findings


def check_keys(connection: Connection, root: RootKey | None, findings: Findings) -> None:
    """Open every meter's courier keys with the root key, where there is one, and look at the counters."""
    rows = connection.execution_options(yield_per=1000).execute(
        select(courier_key, meter.c.system_title).join(meter, meter.c.id == courier_key.c.meter_id)
    )
    for row in rows:
        if row.sent < 0 or row.received < -1:
            findings.add("key", "a counter of its courier keys cannot be", meter=row.system_title)
        if root is None:
            continue
        try:
            keys = root.open(row.sealed_keys)
        except RootKeyError as error:
            findings.add("key", str(error), meter=row.system_title)
            continue
        if len(keys) != 2 * KEY_LENGTH or key_name(keys[:KEY_LENGTH]) != row.key_name:
            findings.add("key", "what is sealed for it is not the key that it is named", meter=row.system_title)


def check_access(connection: Connection, findings: Findings) -> None:
    """Look at tokens, people, and the gateways that meters are assigned to."""
    roles = [role.value for role in Role]
    for table, name, kind in ((bearer_token, "name", "token"), (user_account, "login", "user")):
        wrong = select(table.c.id).where(
            or_(
                table.c.role.not_in(roles),
                not_((table.c.role == Role.PAYEE.value) == table.c.payee.is_not(None)),
                not_((table.c.role == Role.RESIDENT.value) == table.c.household.is_not(None)),
                func.length(table.c[name]) == 0,
            )
        )
        for number in connection.execute(wrong).scalars():
            findings.add("access", f"{kind} {number} has a role, payee or household that do not go together")
    for number in connection.execute(
        select(bearer_token.c.id).where(func.length(bearer_token.c.digest) != 32)
    ).scalars():
        findings.add("access", f"token {number} is kept as something that is no hash")
    weak = select(user_account.c.id).where(
        or_(user_account.c.password_hash.not_like("$argon2id$%"), user_account.c.role == Role.GATEWAY.value)
    )
    for number in connection.execute(weak).scalars():
        findings.add("access", f"user {number} has no argon2id hash for a password, or is a gateway")
    foreign = (
        select(meter.c.system_title)
        .join(bearer_token, bearer_token.c.id == meter.c.gateway_id)
        .where(
            or_(bearer_token.c.organisation_id != meter.c.organisation_id, bearer_token.c.role != Role.GATEWAY.value)
        )
    )
    for title in connection.execute(foreign).scalars():
        findings.add("access", "it is assigned to a token that is no gateway of its organisation", meter=title)
