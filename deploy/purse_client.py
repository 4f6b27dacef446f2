"""What the operator commands and the demo do with a meter, over an open session, in plain values.

Amounts are minor units throughout; how they are shown is `deploy/tables.py`. A refusal in an answer is an OutcomeError.
"""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from twisted.internet.interfaces import IReactorTime

from dlms_objects.classes.catalogue import CLOCK_NAME, CURRENT_ASSOCIATION, DEVICE_NAME, PUSH_SETUP_NAME, SUPPLY
from dlms_objects.classes.fee_item_class import FEE_ITEM, FEE_ITEM_COUNT, fee_item_name
from dlms_objects.classes.interface import InterfaceClass
from dlms_objects.classes.purse_class import EVENT_LOG_NAME, EVENT_ROW, JOURNAL_NAME, JOURNAL_ROW, PURSE, PURSE_NAME
from dlms_objects.classes.shape import Array, Structure, to_plain
from dlms_objects.classes.standard import (
    ASSOCIATION_LN,
    CLOCK,
    DATA,
    DISCONNECT_CONTROL,
    PROFILE_GENERIC,
    PUSH_SETUP,
)
from dlms_objects.errors import InvalidValueError, RefusedError, RemoteError
from dlms_objects.transport.client import MeterSession, client_parameters, open_session, secret_parameters
from dlms_objects.transport.client_identity import identity_path, load_identity
from dlms_objects.transport.credentials import MeterCredentials, SecretCredentials, load_client_credentials
from dlms_objects.transport.key_rotation import Open, open_with_either
from dlms_objects.transport.remote_object import RemoteObject
from dlms_objects.transport.trace import Trace
from dlms_objects.values.data import double_long_unsigned
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName
from dlms_objects.values.money import Currency
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire import axdr
from dlms_objects.wire.parameters import ClientParameters
from dlms_objects.wire.selection import CaptureObject, RangeDescriptor

LARGEST_NUMBER = 2**32 - 1
PAGE_ROWS = 500
BUFFER = 2
IDENTIFIER_OCTETS = 16

Plain = dict[str, Any]


class OutcomeError(RefusedError):
    """The meter's purse refused an operation; `outcome` is the name of the reason."""

    def __init__(self, what: str, outcome: str) -> None:
        """Say what was refused and why."""
        super().__init__(f"{what}: the purse answers {outcome.replace('_', ' ')}")
        self.outcome = outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterAddress:
    """How to reach one association of one meter: an endpoint such as `tcp:127.0.0.1:4059`, and its key file."""

    endpoint: str
    keys: Path
    timeout_s: float = 10.0
    make_trace: Callable[[ClientParameters], Trace] | None = None


def opener(reactor: IReactorTime, address: MeterAddress) -> Open:
    """Opens sessions at that address with keys of the same meter, as the identity beside the address's key file."""

    async def open_with(credentials: MeterCredentials) -> MeterSession:
        identity = load_identity(identity_path(address.keys), credentials)
        return await _open(reactor, address, client_parameters(credentials, identity, timeout_s=address.timeout_s))

    return open_with


async def _open(reactor: IReactorTime, address: MeterAddress, parameters: ClientParameters) -> MeterSession:
    trace = None if address.make_trace is None else address.make_trace(parameters)
    return await open_session(reactor, address.endpoint, parameters, trace)


@asynccontextmanager
async def purse_of(reactor: IReactorTime, address: MeterAddress) -> AsyncIterator["PurseClient"]:
    """An open session with the meter, released at the end."""
    credentials = load_client_credentials(address.keys)
    if isinstance(credentials, SecretCredentials):
        session = await _open(reactor, address, secret_parameters(credentials, timeout_s=address.timeout_s))
    else:
        session = await open_with_either(address.keys, opener(reactor, address))
    try:
        yield PurseClient(session, credentials.system_title)
    except BaseException:
        session.abort()
        raise
    await session.release()


class PurseClient:
    """The purse, its fee items and its journal, through one session."""

    def __init__(self, session: MeterSession, system_title: SystemTitle) -> None:
        """Speak through an open session with the meter of that title."""
        self._session = session
        self.system_title = system_title
        self._purse = RemoteObject(session, PURSE, PURSE_NAME)

    async def currency(self) -> Currency:
        """The purse's currency."""
        return Currency(**await self._purse.get("currency"))

    async def balance(self) -> int:
        """The balance in minor units."""
        return int(await self._purse.get("balance"))

    async def journal_head(self) -> Plain:
        """The last entry's sequence and digest."""
        return dict(await self._purse.get("journal_head"))

    async def acknowledged(self) -> Plain:
        """The sequence and digest up to which the head-end has the journal."""
        return dict(await self._purse.get("acknowledged"))

    async def purse(self) -> Plain:
        """Every attribute of the purse but its name."""
        return await self._all_of(PURSE, PURSE_NAME)

    async def set_settings(self, settings: Plain) -> None:
        """Write the purse's settings, all nine."""
        await self._purse.set("settings", settings)

    async def fee_item(self, number: int) -> Plain:
        """Every attribute of one fee item, 1..32, but its name."""
        item = self._fee_item(number)
        return {"number": number} | {
            attribute.name: await item.get(attribute.name) for attribute in FEE_ITEM.attributes[1:]
        }

    async def fee_items(self) -> list[Plain]:
        """The fee items that were ever configured."""
        found = []
        for number in range(1, FEE_ITEM_COUNT + 1):
            if await self._fee_item(number).get("revision"):
                found.append(await self.fee_item(number))
        return found

    async def set_parameters(self, number: int, parameters: Plain) -> int:
        """Write a fee item's parameters and read them back; the new revision. RemoteError when they differ."""
        item = self._fee_item(number)
        await item.set("parameters", parameters)
        if await item.get("parameters") != parameters:
            raise RemoteError(f"fee item {number}: what was written is not what is read back")
        return int(await item.get("revision"))

    async def set_passive_parameters(self, number: int, parameters: Plain, activation: datetime) -> None:
        """Write parameters that take force at an aware date-time."""
        item = self._fee_item(number)
        await item.set("passive_parameters", parameters)
        await item.set("activation_time", activation.isoformat())

    async def set_amount(self, number: int, due: date, amount: int, reference: bytes) -> str:
        """Set the amount of the occurrence due on that day; `done` or `repeated`, OutcomeError otherwise."""
        plain = {"due": due.isoformat(), "amount": amount, "reference": reference.hex()}
        outcome = await self._fee_item(number).call("set_amount", plain)
        return _accepted(f"amount of fee item {number} due {due}", outcome)

    async def top_up(self, amount: int, transaction_id: bytes) -> Plain:
        """Top up; the answer's outcome, sequence and balance. OutcomeError when it was refused."""
        answer = await self._purse.call("top_up", {"transaction_id": transaction_id.hex(), "amount": amount})
        _accepted("top-up", answer["outcome"])
        return dict(answer)

    async def journal(self, first: int = 1, last: int = LARGEST_NUMBER) -> list[Plain]:
        """The journal's rows first..last as plain values, in order."""
        return await self._rows(JOURNAL_NAME, "last_entry", JOURNAL_ROW, first, last)

    async def events(self, first: int = 1, last: int = LARGEST_NUMBER) -> list[Plain]:
        """The event log's rows first..last as plain values, in order."""
        return await self._rows(EVENT_LOG_NAME, "last_event", EVENT_ROW, first, last)

    async def clock(self) -> Plain:
        """The clock's attributes but its name."""
        return await self._all_of(CLOCK, CLOCK_NAME)

    async def time(self) -> datetime:
        """What the meter's clock shows, aware."""
        shown = await RemoteObject(self._session, CLOCK, CLOCK_NAME).get("time")
        if shown is None:
            raise RemoteError("the meter's clock shows no time")
        return datetime.fromisoformat(shown)

    async def set_clock(self, wanted: datetime) -> None:
        """Set the meter's clock to an aware date-time."""
        await RemoteObject(self._session, CLOCK, CLOCK_NAME).set("time", wanted.replace(microsecond=0).isoformat())

    async def supply(self) -> Plain:
        """The disconnect control's attributes but its name."""
        return await self._all_of(DISCONNECT_CONTROL, SUPPLY)

    async def switch_supply(self, *, on: bool) -> None:
        """Command remote_reconnect or remote_disconnect; what came of it is `supply`."""
        method = "remote_reconnect" if on else "remote_disconnect"
        await RemoteObject(self._session, DISCONNECT_CONTROL, SUPPLY).call(method, 0)

    async def push_setup(self) -> Plain:
        """The push setup's attributes but its name."""
        return await self._all_of(PUSH_SETUP, PUSH_SETUP_NAME)

    async def set_push_setup(self, attributes: Plain) -> None:
        """Write these attributes of the push setup, one after the other."""
        setup = RemoteObject(self._session, PUSH_SETUP, PUSH_SETUP_NAME)
        for name, plain in attributes.items():
            await setup.set(name, plain)

    async def device_name(self) -> str:
        """The logical device name."""
        return bytes.fromhex(await RemoteObject(self._session, DATA, DEVICE_NAME).get("value")).decode("ascii")

    async def objects(self) -> list[Plain]:
        """The object list of our own association."""
        return list(await RemoteObject(self._session, ASSOCIATION_LN, CURRENT_ASSOCIATION).get("object_list"))

    async def read(self, attribute: AttributeDescriptor) -> bytes:
        """The A-XDR octets of any attribute."""
        return await self._session.get(attribute)

    async def _all_of(self, interface: InterfaceClass, name: LogicalName) -> Plain:
        """Every attribute of an object but its name."""
        remote = RemoteObject(self._session, interface, name)
        return {attribute.name: await remote.get(attribute.name) for attribute in interface.attributes[1:]}

    def _fee_item(self, number: int) -> RemoteObject:
        if not 1 <= number <= FEE_ITEM_COUNT:
            raise InvalidValueError(f"a fee item is 1..{FEE_ITEM_COUNT}, not {number}")
        return RemoteObject(self._session, FEE_ITEM, fee_item_name(number))

    async def _rows(self, profile: LogicalName, column: str, shape: Structure, first: int, last: int) -> list[Plain]:
        restricting = CaptureObject(
            class_id=PURSE.class_id,
            logical_name=PURSE_NAME,
            attribute=PURSE.attribute(column).number,
            data_index=2,
        )
        buffer = AttributeDescriptor(PROFILE_GENERIC.class_id, profile, BUFFER)
        found: list[Plain] = []
        while first <= last:
            page_last = min(last, first + PAGE_ROWS - 1)
            wanted = RangeDescriptor(
                restricting_object=restricting,
                from_value=double_long_unsigned(first),
                to_value=double_long_unsigned(page_last),
            )
            page = to_plain(Array(shape), axdr.decode(await self._session.get(buffer, wanted.selective_access())))
            if not page:
                break
            found += page
            first = page_last + 1
        return found


def new_identifier() -> bytes:
    """A fresh transaction id or bill reference: 16 random octets."""
    return secrets.token_bytes(IDENTIFIER_OCTETS)


def _accepted(what: str, outcome: str) -> str:
    if outcome not in ("done", "repeated"):
        raise OutcomeError(what, outcome)
    return outcome
