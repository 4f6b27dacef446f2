"""Any object of any meter, shown to people: what it is called, and its attributes with units, names and tables.

Imported by the commands that show such, when they are called: the gurux bridge takes long to load.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.purse_client import PurseClient
from dlms_objects.classes.shape import plain_data
from dlms_objects.errors import RefusedError
from dlms_objects.gurux_bridge.names import class_name, description, descriptor_name
from dlms_objects.gurux_bridge.views import companion_of, view
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName
from dlms_objects.wire import axdr


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An attribute's A-XDR octets, and those of the attribute its view needs beside it, where it may be read."""

    attribute: AttributeDescriptor
    octets: bytes
    companion: bytes | None = None

    def plain(self) -> Any:
        """Numbers, text, octets as hexadecimal, lists: nothing interpreted. For programs."""
        return plain_data(axdr.decode(self.octets))

    def view(self) -> Any:
        """Interpreted as the class says. For people."""
        return view(self.attribute, self.octets, self.companion)

    def name(self) -> str:
        """What the attribute is called."""
        return descriptor_name(self.attribute)


def names_of_entry(entry: Mapping[str, Any]) -> tuple[str, str]:
    """The name of the class of an entry of an object list, and what its logical name stands for (may be empty)."""
    class_id = entry["class_id"]
    return class_name(class_id, entry["version"]), description(class_id, LogicalName.parse(entry["logical_name"]))


async def read_attribute(client: PurseClient, attribute: AttributeDescriptor) -> Reading:
    """Read an attribute, and what its view needs; RefusedError when the attribute itself may not be read."""
    octets = await client.read(attribute)
    beside = companion_of(attribute)
    companion = None
    if beside is not None:
        try:
            companion = await client.read(beside)
        except RefusedError:
            companion = None
    return Reading(attribute=attribute, octets=octets, companion=companion)


def rows_of(shown: Any) -> tuple[Sequence[str], list[list[str]]] | None:
    """The columns and the rows of a view that is a table: dicts of single values with the same keys."""
    if not isinstance(shown, list) or not shown or not all(isinstance(row, Mapping) for row in shown):
        return None
    columns = list(shown[0])
    is_flat = all(not isinstance(cell, Mapping | list) for row in shown for cell in row.values())
    if not is_flat or any(list(row) != columns for row in shown):
        return None
    return columns, [[_word(cell) for cell in row.values()] for row in shown]


def lines_of(shown: Any, indent: str = "") -> Iterator[str]:
    """A view as lines: members by name, elements by a dash, what is inside further in."""
    if isinstance(shown, Mapping):
        for name, member in shown.items():
            yield from _item(f"{name}:", member, indent)
    elif isinstance(shown, list):
        for element in shown:
            yield from _item("-", element, indent)
    else:
        yield f"{indent}{_word(shown)}"


def _item(label: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping | list):
        yield f"{indent}{label}"
        yield from lines_of(value, indent + "  ")
    else:
        yield f"{indent}{label} {_word(value)}".rstrip()


def _word(value: Any) -> str:
    return "-" if value is None else str(value)
