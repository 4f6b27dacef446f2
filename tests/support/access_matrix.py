"""The access table tried out: every role, object, attribute and method against a running meter's logical device.

What is granted gets as far as the object itself; what is not granted is denied, each with its own result.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dlms_objects.classes.catalogue import CATALOGUE, ObjectDeclaration
from dlms_objects.classes.fee_item_class import FEE_ITEM
from dlms_objects.classes.interface import Attribute, Method
from dlms_objects.classes.parameters_codec import UNCONFIGURED, parameters_to_data
from dlms_objects.classes.purse_class import PURSE
from dlms_objects.classes.shape import DATE, DATE_TIME, IDENTIFIER, Array, Leaf, Nullable, Shape, Structure
from dlms_objects.meter.cosem_object import Requester
from dlms_objects.meter.logical_device import LogicalDevice
from dlms_objects.values import data as cosem
from dlms_objects.values.cosem_time import CosemDate, CosemDateTime
from dlms_objects.values.data import NULL, Data, DataType
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor
from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire import axdr
from tests.support.meters import NOW

DENIALS = (DataAccessResult.READ_WRITE_DENIED, DataAccessResult.OBJECT_UNDEFINED, DataAccessResult.TYPE_UNMATCHED)

LARGEST_NUMBER = max(
    max(attribute.number for attribute in declaration.interface.attributes) for declaration in CATALOGUE.values()
)
"""Of an attribute of any class."""


@dataclass
class Matrix:
    """What a device allows a role, found by trying everything."""

    device: LogicalDevice
    requester: Requester
    strange_numbers: tuple[int, ...] = (-128, -1, 0)
    beyond: int = 2
    tried: int = 0

    def deviations(self, declarations: Iterable[ObjectDeclaration] = CATALOGUE.values()) -> list[str]:
        """Where the device's answer is not the catalogue's."""
        return [text for declaration in declarations for text in self._of(declaration)]

    def strangers(self) -> list[str]:
        """Where the device answers for an object that is not in the catalogue, or for one under another class."""
        return [text for class_id, name, denial in _strangers() for text in self._of_stranger(class_id, name, denial)]

    def _of_stranger(self, class_id: int, name: LogicalName, denial: DataAccessResult) -> Iterator[str]:
        for number in (1, 2, LARGEST_NUMBER):
            attribute = AttributeDescriptor(class_id, name, number)
            method = MethodDescriptor(class_id, name, number)
            null = axdr.encode(NULL)
            yield from self._judge("get", attribute, False, self.device.get(attribute, None, self.requester), denial)
            written = self.device.set(attribute, None, null, self.requester)
            yield from self._judge("set", attribute, False, written, denial)
            outcome = self.device.action(method, null, self.requester)
            yield from self._judge("call", method, False, outcome.result, denial)

    def _of(self, declaration: ObjectDeclaration) -> Iterator[str]:
        rights = declaration.rights_of(self.requester.association.role)
        interface, name = declaration.interface, declaration.logical_name
        for number in self._numbers(interface.attributes):
            attribute = AttributeDescriptor(interface.class_id, name, number)
            value = self.device.get(attribute, None, self.requester)
            denial = self._denial(number, interface.attributes)
            yield from self._judge("get", attribute, number in rights.read, value, denial)
            shape = next((a.shape for a in interface.attributes if a.number == number), None)
            written = self.device.set(attribute, None, axdr.encode(sample(shape)), self.requester)
            yield from self._judge("set", attribute, number in rights.write, written, denial)
        for number in self._numbers(interface.methods):
            method = MethodDescriptor(interface.class_id, name, number)
            shape = next((m.parameter for m in interface.methods if m.number == number), None)
            outcome = self.device.action(method, axdr.encode(sample(shape)), self.requester)
            denial = self._denial(number, interface.methods)
            yield from self._judge("call", method, number in rights.call, outcome.result, denial)

    def _judge(
        self,
        what: str,
        descriptor: AttributeDescriptor | MethodDescriptor,
        granted: bool,
        answer: object,
        denial: DataAccessResult,
    ) -> Iterator[str]:
        """What is not granted is denied with its own result; what is granted gets as far as the object itself."""
        self.tried += 1
        if (answer in DENIALS) if granted else (answer != denial):
            yield f"{what} {descriptor}: {answer!r}, granted: {granted}"

    def _numbers(self, declared: Sequence[Attribute] | Sequence[Method]) -> list[int]:
        last = max((item.number for item in declared), default=0)
        return [*self.strange_numbers, *range(1, last + 1 + self.beyond)]

    @staticmethod
    def _denial(number: int, declared: Sequence[Attribute] | Sequence[Method]) -> DataAccessResult:
        exists = number in [item.number for item in declared]
        return DataAccessResult.READ_WRITE_DENIED if exists else DataAccessResult.OBJECT_UNDEFINED


def _strangers() -> Iterator[tuple[int, LogicalName, DataAccessResult]]:
    """Every name of the catalogue under each class but its own, and the names next to it under its own."""
    classes = {declaration.interface.class_id for declaration in CATALOGUE.values()}
    for name, declaration in CATALOGUE.items():
        for class_id in classes - {declaration.interface.class_id}:
            yield class_id, name, DataAccessResult.OBJECT_CLASS_INCONSISTENT
        for neighbour in set(_neighbours(name)) - set(CATALOGUE):
            yield declaration.interface.class_id, neighbour, DataAccessResult.OBJECT_UNDEFINED


def _neighbours(name: LogicalName) -> Iterator[LogicalName]:
    """The names that differ by one in one of their six numbers."""
    for place, number in enumerate(name.octets):
        for other in {number - 1, number + 1} & set(range(256)):
            yield LogicalName(name.octets[:place] + bytes((other,)) + name.octets[place + 1 :])


def sample(shape: Shape | None) -> Data:
    """A value of that shape that any object accepts when it may be written; what it says is harmless."""
    match shape:
        case None | Nullable():
            return NULL
        case Array():
            return cosem.array([sample(shape.element)])
        case Structure() if shape == FEE_ITEM.attribute("parameters").shape:
            return parameters_to_data(UNCONFIGURED)
        case Structure() if shape == PURSE.attribute("settings").shape:
            leaves = [leaf.type for _name, leaf in shape.members if isinstance(leaf, Leaf)]
            numbers = (0, 0, 0, 0, 60, 0, 0, 12, "UTC")
            return cosem.structure(*(Data(type_, number) for type_, number in zip(leaves, numbers, strict=True)))
        case Structure():
            return cosem.structure(*(sample(inner) for _name, inner in shape.members))
        case Leaf():
            return sample_leaf(shape)


SAMPLE_VALUES = {
    DataType.BOOLEAN: False,
    DataType.BIT_STRING: "0" * 24,
    DataType.VISIBLE_STRING: "",
    DataType.UTF8_STRING: "",
    DataType.NULL_DATA: None,
    DataType.DATE_TIME: CosemDateTime.NOT_SPECIFIED.octets,
}
SAMPLE_LEAVES = {
    DATE: CosemDate.from_date(NOW.date()).octets,
    DATE_TIME: bytes.fromhex("07ea060a030c000000fe2000"),
    IDENTIFIER: bytes(15) + b"\x01",
}


def sample_leaf(leaf: Leaf) -> Data:
    """A value of a simple type."""
    if leaf.type is DataType.OCTET_STRING:
        return cosem.octet_string(SAMPLE_LEAVES.get(leaf, bytes(leaf.length or 0)))
    value = SAMPLE_VALUES.get(leaf.type, 0)
    return Data(leaf.type, value[: leaf.length] if isinstance(value, str) else value)
