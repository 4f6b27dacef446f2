"""Hypothesis strategies for the parts of APDUs."""

from typing import TypeVar

from hypothesis import strategies as st

from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire import axdr
from dlms_objects.wire.lists import AttributeWithSelection
from dlms_objects.wire.selection import EntryDescriptor, SelectiveAccess
from tests.support.cosem_data import values

Item = TypeVar("Item")

OCTET = st.integers(0, 0xFF)
U16 = st.integers(0, 0xFFFF)
U32 = st.integers(0, 0xFFFF_FFFF)

logical_names = st.binary(min_size=6, max_size=6).map(LogicalName)
attributes = st.builds(AttributeDescriptor, U16, logical_names, st.integers(-128, 127))
methods = st.builds(MethodDescriptor, U16, logical_names, st.integers(-128, 127))
data_access_results = st.sampled_from(DataAccessResult)
action_results = st.sampled_from(ActionResult)
raw_values = st.binary(min_size=1, max_size=300)
"""A-XDR octets as an APDU carries them, unread."""

selections: st.SearchStrategy[SelectiveAccess | None] = st.none() | st.builds(
    EntryDescriptor, from_entry=U32, to_entry=U32, from_selected_value=U16, to_selected_value=U16
).map(EntryDescriptor.selective_access)

attributes_with_selection = st.builds(AttributeWithSelection, attribute=attributes, selection=selections)
whole_values = values.map(axdr.encode)
"""A-XDR octets of one value each, as lists need them to find where it ends."""

date_times = st.none() | st.binary(min_size=12, max_size=12)
blocks = {"last": st.booleans(), "block_number": U32, "raw": st.binary(max_size=300)}
"""The parts of a DataBlock-SA."""


def tuples(items: st.SearchStrategy[Item], *, max_size: int = 4) -> st.SearchStrategy[tuple[Item, ...]]:
    """Tuples of a few items."""
    return st.lists(items, max_size=max_size).map(tuple)
