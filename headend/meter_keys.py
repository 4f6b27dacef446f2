"""The keys with which meters are reached: kept sealed, released to their gateway alone, replaced without a lock-out.

A generation of keys is `wanted` from the moment it is made until the meter took it, then `in_force`, then `replaced`.
Both what is in force and what is wanted are released, so whichever the meter has, its gateway opens it. The master key
never leaves: what replaces a key travels wrapped with it. Imported by `setup` and the routers.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyrage import RecipientError, encrypt, x25519
from sqlalchemy import Connection, Row, insert, select, update

from dlms_objects.errors import LocalError
from dlms_objects.transport.credentials import KEY_LENGTH, MasterKey, MeterCredentials
from dlms_objects.wire.cipher_keys import key_name
from dlms_objects.wire.key_wrap import wrap_key
from headend import audit
from headend.authentication import Caller
from headend.column_types import naive
from headend.command_kinds import CommandKind
from headend.commands import Command, NewCommand, State, enqueue
from headend.root_key import RootKey
from headend.schema import meter
from headend.schema_commands import gateway_recipient, meter_key
from headend.visibility import seen_by

ROLES = {2: "reader", 1: "management"}
"""The associations whose keys are kept, by client SAP."""
MASTER = "master"
WANTED, IN_FORCE, REPLACED = "wanted", "in_force", "replaced"


class MeterKeyError(LocalError):
    """Keys cannot be taken over, released or replaced; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyState:
    """A generation of a meter's keys, without the keys: its name, and the highest counter its gateway reported."""

    role: str
    generation: int
    state: str
    name: str
    invocation_counter: int


def store(connection: Connection, root: RootKey, keys: MeterCredentials | MasterKey, *, now: datetime) -> None:
    """Take over keys as they are in the meter now, in the place of whatever was kept; the same again changes nothing.

    MeterKeyError when the meter is not registered or the association has no keys to keep.
    """
    meter_id = connection.execute(
        select(meter.c.id).where(meter.c.system_title == str(keys.system_title))
    ).scalar_one_or_none()
    if meter_id is None:
        raise MeterKeyError(f"meter {keys.system_title} is not registered; `headend add-meter` does that")
    if isinstance(keys, MasterKey):
        role, told = MASTER, {"master_key": keys.key.hex()}
    elif keys.client_sap in ROLES:
        role, told = ROLES[keys.client_sap], _told(keys)
    else:
        raise MeterKeyError(f"client SAP {keys.client_sap} is neither the reader nor management")
    held = _generations(connection, meter_id, role)
    if any(row.state == IN_FORCE and json.loads(root.open(row.sealed)) == told for row in held):
        return
    connection.execute(
        update(meter_key)
        .where(meter_key.c.meter_id == meter_id, meter_key.c.role == role)
        .values(state=REPLACED, changed_at=naive(now))
    )
    _insert(connection, root, meter_id, role, len(held) + 1, IN_FORCE, told, now)


def states(connection: Connection, caller: Caller, root: RootKey, title: str) -> list[KeyState]:
    """Every generation of a meter's keys that was ever kept, without the keys; empty when no such meter is seen."""
    rows = connection.execute(
        select(meter_key)
        .join(meter, meter.c.id == meter_key.c.meter_id)
        .where(meter.c.system_title == title, seen_by(caller))
        .order_by(meter_key.c.role, meter_key.c.generation)
    )
    return [
        KeyState(
            role=row.role,
            generation=row.generation,
            state=row.state,
            name=_name(json.loads(root.open(row.sealed))),
            invocation_counter=row.invocation_counter,
        )
        for row in rows
    ]


def rotate(  # noqa: PLR0913 - what a rotation is made of
    connection: Connection, caller: Caller, root: RootKey, title: str, role: str, *, command_id: str, now: datetime
) -> Command:
    """Have a meter's keys replaced: the new ones are kept first, then the meter's gateway is told.

    Keys that are wanted already are sent again, never others. MeterKeyError without keys and master key of the meter.
    """
    meter_id = connection.execute(
        select(meter.c.id).where(meter.c.system_title == title, seen_by(caller))
    ).scalar_one_or_none()
    rows = [] if meter_id is None else _generations(connection, meter_id, role)
    masters = [] if meter_id is None else _in_state(_generations(connection, meter_id, MASTER), IN_FORCE)
    current = _in_state(rows, IN_FORCE)
    if meter_id is None or not current or not masters:
        raise MeterKeyError(f"the {role} keys and the master key of meter {title} are not kept here")
    wanted = _in_state(rows, WANTED)
    if wanted:
        generation, told = wanted[0].generation, json.loads(root.open(wanted[0].sealed))
    else:
        generation = len(rows) + 1
        fresh = {name: secrets.token_hex(KEY_LENGTH) for name in ("encryption_key", "authentication_key")}
        told = json.loads(root.open(current[0].sealed)) | fresh
        _insert(connection, root, meter_id, role, generation, WANTED, told, now)
    master = bytes.fromhex(json.loads(root.open(masters[0].sealed))["master_key"])
    wrapped = [
        {"key_id": key_id, "key_wrapped": wrap_key(master, bytes.fromhex(told[name])).hex()}
        for key_id, name in (
            ("global_unicast_encryption_key", "encryption_key"),
            ("authentication_key", "authentication_key"),
        )
    ]
    new = NewCommand(
        command_id=command_id,
        system_title=title,
        kind=CommandKind.KEY_TRANSFER,
        parameters={"role": role, "generation": generation, "keys": wrapped},
    )
    return enqueue(connection, caller, new, now=now)


def transferred(connection: Connection, command: Command, *, now: datetime) -> None:
    """After a result: keys that the meter confirmed are in force. Whatever else came of it, both stay released."""
    if command.kind is not CommandKind.KEY_TRANSFER or command.state is not State.CONFIRMED:
        return
    of_role = (
        meter_key.c.meter_id
        == select(meter.c.id).where(meter.c.system_title == command.system_title).scalar_subquery(),
        meter_key.c.role == command.parameters["role"],
    )
    generation = command.parameters["generation"]
    connection.execute(
        update(meter_key)
        .where(*of_role, meter_key.c.generation < generation, meter_key.c.state == IN_FORCE)
        .values(state=REPLACED, changed_at=naive(now))
    )
    connection.execute(
        update(meter_key)
        .where(*of_role, meter_key.c.generation == generation, meter_key.c.state == WANTED)
        .values(state=IN_FORCE, changed_at=naive(now))
    )


def tell_recipient(connection: Connection, gateway: Caller, recipient: str, *, now: datetime) -> None:
    """Keep for whom a gateway's keys are to be wrapped, an age recipient; MeterKeyError when it is none."""
    try:
        x25519.Recipient.from_str(recipient)
    except (ValueError, RecipientError):
        raise MeterKeyError("not an age recipient (age1...)") from None
    of_gateway = gateway_recipient.c.token_id == gateway.token_id
    told = {"recipient": recipient, "told_at": naive(now)}
    if connection.execute(update(gateway_recipient).where(of_gateway).values(told)).rowcount == 0:
        connection.execute(insert(gateway_recipient).values(token_id=gateway.token_id, **told))
    audit.record(connection, gateway, "tell age recipient", gateway.name, now=now, detail={"recipient": recipient})


def released(connection: Connection, gateway: Caller, root: RootKey, title: str) -> bytes | None:
    """The keys of a meter that is assigned to this gateway, wrapped for it (age over JSON); None when it is not.

    MeterKeyError when the gateway has told no recipient, or no keys are kept.
    """
    meter_id = connection.execute(
        select(meter.c.id).where(
            meter.c.system_title == title,
            meter.c.organisation_id == gateway.organisation_id,
            meter.c.gateway_id == gateway.token_id,
        )
    ).scalar_one_or_none()
    if meter_id is None:
        return None
    recipient = connection.execute(
        select(gateway_recipient.c.recipient).where(gateway_recipient.c.token_id == gateway.token_id)
    ).scalar_one_or_none()
    if recipient is None:
        raise MeterKeyError("the gateway has not told for whom its keys are to be wrapped (PUT recipient)")
    rows = [
        row
        for role in ROLES.values()
        for row in _generations(connection, meter_id, role)
        if row.state in (IN_FORCE, WANTED)
    ]
    if not rows:
        raise MeterKeyError(f"no keys of meter {title} are kept here; `headend add-meter-keys` takes them over")
    keys = [
        {"role": row.role, "generation": row.generation, "state": row.state} | json.loads(root.open(row.sealed))
        for row in rows
    ]
    octets = json.dumps({"system_title": title, "keys": keys}).encode()
    return bytes(encrypt(octets, [x25519.Recipient.from_str(recipient)]))


def count(connection: Connection, gateway: Caller, title: str, role: str, counter: int) -> bool:
    """Keep the highest invocation counter a gateway has used; False when the meter is not the gateway's."""
    meter_id = connection.execute(
        select(meter.c.id).where(meter.c.system_title == title, meter.c.gateway_id == gateway.token_id)
    ).scalar_one_or_none()
    if meter_id is None:
        return False
    connection.execute(
        update(meter_key)
        .where(
            meter_key.c.meter_id == meter_id,
            meter_key.c.role == role,
            meter_key.c.state == IN_FORCE,
            meter_key.c.invocation_counter < counter,
        )
        .values(invocation_counter=counter)
    )
    return True


def _told(keys: MeterCredentials) -> dict[str, Any]:
    return {
        "client_sap": keys.client_sap,
        "server_sap": keys.server_sap,
        "encryption_key": keys.encryption_key.hex(),
        "authentication_key": keys.authentication_key.hex(),
    }


def _name(told: dict[str, Any]) -> str:
    return key_name(bytes.fromhex(told.get("master_key") or told["encryption_key"]))


def _generations(connection: Connection, meter_id: int, role: str) -> list[Row[Any]]:
    return list(
        connection.execute(
            select(meter_key)
            .where(meter_key.c.meter_id == meter_id, meter_key.c.role == role)
            .order_by(meter_key.c.generation)
        )
    )


def _in_state(rows: list[Row[Any]], state: str) -> list[Row[Any]]:
    return [row for row in rows if row.state == state]


def _insert(  # noqa: PLR0913 - the columns of a generation
    connection: Connection,
    root: RootKey,
    meter_id: int,
    role: str,
    generation: int,
    state: str,
    told: dict[str, Any],
    now: datetime,
) -> None:
    connection.execute(
        insert(meter_key).values(
            meter_id=meter_id,
            role=role,
            generation=generation,
            state=state,
            sealed=root.seal(json.dumps(told).encode()),
            changed_at=naive(now),
            invocation_counter=0,
        )
    )
