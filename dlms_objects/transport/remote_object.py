"""One COSEM object at the far end of a session, by the names its class declares, with plain values.

Plain values are those of `classes.shape`. Imported by the command line and the demo; the gateway reads raw rows.
"""

from typing import Any, Protocol

from dlms_objects.classes.interface import InterfaceClass
from dlms_objects.classes.shape import from_plain, plain_data, to_plain
from dlms_objects.errors import InvalidValueError, RemoteError
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor
from dlms_objects.wire import axdr
from dlms_objects.wire.selection import SelectiveAccess


class Session(Protocol):
    """What is needed of a session; `transport.client.MeterSession` is one."""

    async def get(self, attribute: AttributeDescriptor, selection: SelectiveAccess | None = None) -> bytes:
        """The attribute's A-XDR octets."""
        ...

    async def set(self, attribute: AttributeDescriptor, value: bytes) -> None:
        """Write an attribute."""
        ...

    async def action(self, method: MethodDescriptor, parameters: bytes | None = None) -> bytes | None:
        """Carry out a method."""
        ...


class RemoteObject:
    """An object of a declared class. Every call raises what the session raises; RemoteError for a wrong type."""

    def __init__(self, session: Session, interface: InterfaceClass, logical_name: LogicalName) -> None:
        """Address the object of that class and name."""
        self._session = session
        self._interface = interface
        self._logical_name = logical_name

    async def get(self, name: str, selection: SelectiveAccess | None = None) -> Any:
        """The attribute of that name as plain values."""
        attribute = self._interface.attribute(name)
        octets = await self._session.get(self._attribute(attribute.number), selection)
        value = axdr.decode(octets)
        if attribute.shape is None:
            return plain_data(value)
        try:
            return to_plain(attribute.shape, value)
        except InvalidValueError as error:
            raise RemoteError(f"{self._interface.name}.{name}: {error}") from error

    async def set(self, name: str, plain: Any) -> None:
        """Write the attribute of that name; InvalidValueError when the value is not of its type."""
        attribute = self._interface.attribute(name)
        if attribute.shape is None:
            raise InvalidValueError(f"{self._interface.name}.{name} has no declared type and cannot be written by name")
        await self._session.set(
            self._attribute(attribute.number), axdr.encode(from_plain(attribute.shape, plain, name))
        )

    async def call(self, name: str, plain: Any) -> Any:
        """Carry out the method of that name; its result as plain values, None where it has none."""
        method = self._interface.method(name)
        descriptor = MethodDescriptor(self._interface.class_id, self._logical_name, method.number)
        octets = await self._session.action(descriptor, axdr.encode(from_plain(method.parameter, plain, name)))
        if method.result is None:
            return None
        if octets is None:
            raise RemoteError(f"{self._interface.name}.{name}: the meter returned nothing")
        try:
            return to_plain(method.result, axdr.decode(octets))
        except InvalidValueError as error:
            raise RemoteError(f"{self._interface.name}.{name}: {error}") from error

    def _attribute(self, number: int) -> AttributeDescriptor:
        return AttributeDescriptor(self._interface.class_id, self._logical_name, number)
