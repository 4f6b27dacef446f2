"""Purse, Fee item and Courier as objects of gurux: for programs that already read their meters with gurux-dlms.

Types and values are those of the declared classes, encoded and decoded by our own codec: gurux would send an amount in
the smallest type it guesses, and cannot tell a label that is not ASCII from its hexadecimal text. Refusals of a value
are InvalidValueError, before anything is sent. `docs/gurux.md` shows them at work. Nothing of ours imports this.

Requests (`top_up`, ...) are made, not sent: they return what gurux's own `GXDLMSClient.method` returns, and `result`
reads the reply. camelCase names are gurux's.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from gurux_dlms.enums import DataType as GuruxType
from gurux_dlms.objects import GXDLMSObject
from gurux_dlms.objects.IGXDLMSBase import IGXDLMSBase

from dlms_objects.classes.courier_class import COURIER, COURIER_NAME
from dlms_objects.classes.fee_item_class import FEE_ITEM, fee_item_name
from dlms_objects.classes.interface import InterfaceClass
from dlms_objects.classes.purse_class import PURSE, PURSE_NAME
from dlms_objects.classes.shape import from_plain, plain_data, to_plain
from dlms_objects.errors import InvalidValueError, LocalError
from dlms_objects.gurux_bridge.gurux_values import typed
from dlms_objects.values.logical_name import LogicalName
from dlms_objects.wire import axdr

Request = Any
"""What gurux's client makes of a request: the frames to send, one after the other."""


class DeclaredObject(GXDLMSObject, IGXDLMSBase):  # type: ignore[misc] # gurux has no types
    """A gurux object whose attributes and methods are a declared class's; each attribute is one of the object's own.

    Attributes hold plain values as `classes.shape` has them (amounts in minor units), None before they are read.
    """

    interface: ClassVar[InterfaceClass]

    def __init__(self, logical_name: LogicalName) -> None:
        """The object of that name, nothing read yet."""
        super().__init__(self.interface.class_id, str(logical_name))
        self.version = self.interface.version
        for attribute in self.interface.attributes[1:]:
            setattr(self, attribute.name, None)

    def update(self, index: int, reply: Any) -> Any:
        """Take the attribute from the reply (GXReplyData) to its read: exact, from the octets; its plain value."""
        return self._take(index, axdr.decode(bytes(reply.data.array())))

    def result(self, method: str, reply: Any) -> Any:
        """What a method returned, by the reply to its request, as a plain value; LocalError where that is nothing."""
        shape = self.interface.method(method).result
        if shape is None:
            raise LocalError(f"{self.interface.name}.{method} returns nothing")
        return to_plain(shape, axdr.decode(bytes(reply.data.array())))

    def getAttributeIndexToRead(self, all_: bool) -> list[int]:
        """Every attribute: a purse's values change by themselves; the name only where `all_` are wanted."""
        return [attribute.number for attribute in self.interface.attributes if all_ or attribute.number > 1]

    def getAttributeCount(self) -> int:
        """The number of attributes."""
        return len(self.interface.attributes)

    def getMethodCount(self) -> int:
        """The number of methods."""
        return len(self.interface.methods)

    def getNames(self) -> tuple[str, ...]:
        """The names of the attributes, from the first on."""
        return tuple(attribute.name for attribute in self.interface.attributes)

    def getMethodNames(self) -> tuple[str, ...]:
        """The names of the methods, from the first on."""
        return tuple(method.name for method in self.interface.methods)

    def getValues(self) -> list[Any]:
        """The plain values, from the first attribute on."""
        return [self.logicalName, *(getattr(self, attribute.name) for attribute in self.interface.attributes[1:])]

    def getDataType(self, index: int) -> Any:
        """A structure, whatever the type is: gurux then sends the octets of `getValue` as they are."""
        self.interface.attribute(index)
        return GuruxType.STRUCTURE

    def getValue(self, _settings: Any, arguments: Any) -> bytes:
        """The attribute's value as A-XDR octets; InvalidValueError when it is not of the declared type."""
        attribute = self.interface.attribute(arguments.index)
        if attribute.shape is None:
            raise InvalidValueError(f"{self.interface.name}.{attribute.name} has no declared type")
        return axdr.encode(from_plain(attribute.shape, self.getValues()[attribute.number - 1], attribute.name))

    def setValue(self, _settings: Any, arguments: Any) -> None:
        """Take a value as gurux decoded it; `update` is exact where a text may not be ASCII."""
        shape = self.interface.attribute(arguments.index).shape
        self._take(arguments.index, typed(shape, arguments.value))

    def load(self, reader: Any) -> None:
        """Nothing: what a purse holds is read from the meter, never from a file."""

    def save(self, writer: Any) -> None:
        """Nothing, for the same reason."""

    def _take(self, index: int, value: Any) -> Any:
        attribute = self.interface.attribute(index)
        plain = plain_data(value) if attribute.shape is None else to_plain(attribute.shape, value)
        setattr(self, "logicalName" if index == 1 else attribute.name, plain)
        return plain

    def _request(self, client: Any, name: str, plain: Any) -> Request:
        method = self.interface.method(name)
        octets = axdr.encode(from_plain(method.parameter, plain, name))
        return client.method(self, method.number, octets, GuruxType.STRUCTURE)


class GXDLMSPurse(DeclaredObject):
    """Class 20101. Amounts are long64 in minor units; ids are 16 octets that the caller makes once per operation."""

    interface = PURSE

    balance: int | None
    currency: dict[str, Any] | None
    settings: dict[str, Any] | None
    journal_head: dict[str, Any] | None
    acknowledged: dict[str, Any] | None
    status: dict[str, Any] | None
    last_entry: dict[str, Any] | None
    last_event: dict[str, Any] | None

    def __init__(self, logical_name: str = str(PURSE_NAME)) -> None:
        """The purse of a meter."""
        super().__init__(LogicalName.parse(logical_name))

    def top_up(self, client: Any, transaction_id: bytes, amount: int) -> Request:
        """Ask for a top-up; the same id again is the same top-up. Its result: outcome, sequence, balance."""
        return self._request(client, "top_up", {"transaction_id": transaction_id.hex(), "amount": amount})

    def reverse(self, client: Any, transaction_id: bytes, sequence: int) -> Request:
        """Ask for the reversal of the entry with that sequence number; result as of a top-up."""
        return self._request(client, "reverse", {"transaction_id": transaction_id.hex(), "sequence": sequence})

    def adjust(self, client: Any, transaction_id: bytes, amount: int) -> Request:
        """Ask for a signed adjustment; result as of a top-up."""
        return self._request(client, "adjust", {"transaction_id": transaction_id.hex(), "amount": amount})

    def acknowledge(self, client: Any, sequence: int, digest: bytes) -> Request:
        """Tell that the journal is held up to that entry, whose digest is 16 octets; the result is an outcome."""
        return self._request(client, "acknowledge", {"sequence": sequence, "digest": digest.hex()})

    def check_now(self, client: Any) -> Request:
        """Ask to deduct what is due now; the result is the number of entries made."""
        return self._request(client, "check_now", 0)


class GXDLMSFeeItem(DeclaredObject):
    """Class 20102, one fee; `parameters` is a dict of the members of structure P of the object model."""

    interface = FEE_ITEM

    parameters: dict[str, Any] | None
    passive_parameters: dict[str, Any] | None
    activation_time: str | None
    revision: int | None
    pending_amounts: list[dict[str, Any]] | None
    status: dict[str, Any] | None

    def __init__(self, number: int) -> None:
        """Fee item 1..32."""
        super().__init__(fee_item_name(number))

    def set_amount(self, client: Any, due: str, amount: int, reference: bytes) -> Request:
        """Ask to set the amount of the occurrence due on that day (`2026-03-15`); the result is an outcome."""
        return self._request(client, "set_amount", {"due": due, "amount": amount, "reference": reference.hex()})

    def cancel_amount(self, client: Any, due: str) -> Request:
        """Ask to forget an amount that was set; the result is an outcome."""
        return self._request(client, "cancel_amount", {"due": due})

    def activate_passive(self, client: Any) -> Request:
        """Ask to let the passive parameters take force now; the result is an outcome."""
        return self._request(client, "activate_passive", 0)

    def cancel_passive(self, client: Any) -> Request:
        """Ask to forget the passive parameters; the result is an outcome."""
        return self._request(client, "cancel_passive", 0)

    def delete(self, client: Any) -> Request:
        """Ask to delete the item, whose history stays; the result is an outcome."""
        return self._request(client, "delete", 0)


class GXDLMSCourier(DeclaredObject):
    """Class 20103; batches and instructions are general-glo-ciphering APDUs in hexadecimal."""

    interface = COURIER

    batch: str | None
    max_rows: int | None

    def __init__(self, logical_name: str = str(COURIER_NAME)) -> None:
        """The courier of a meter."""
        super().__init__(LogicalName.parse(logical_name))

    def deliver(self, client: Any, sealed: bytes) -> Request:
        """Hand in a sealed instruction; the result is the sealed answer, in hexadecimal."""
        return self._request(client, "deliver", sealed.hex())


_MADE_BY: dict[int, Callable[[LogicalName], DeclaredObject]] = {
    PURSE.class_id: lambda name: GXDLMSPurse(str(name)),
    FEE_ITEM.class_id: lambda name: GXDLMSFeeItem(name.octets[4]),
    COURIER.class_id: lambda name: GXDLMSCourier(str(name)),
}


def adopt(objects: Any) -> list[DeclaredObject]:
    """Put ours in place of the bare objects gurux made for classes it does not know, in its list of an association.

    `objects` is what `GXDLMSClient.parseObjects(..., onlyKnownObjects=False)` returned; those that were replaced.
    """
    adopted = []
    for place, item in enumerate(objects):
        make = _MADE_BY.get(int(item.objectType))
        if make is not None:
            made = make(LogicalName.parse(item.logicalName))
            made.attributes, made.methodAttributes = item.attributes, item.methodAttributes
            objects[place] = made
            adopted.append(made)
    return adopted
