"""What gurux decodes comes back as typed data of the declared shape, or is refused."""

from typing import Any

import pytest
from gurux_dlms.GXBitString import GXBitString
from gurux_dlms.GXByteBuffer import GXByteBuffer
from gurux_dlms.internal._GXCommon import _GXCommon
from gurux_dlms.internal._GXDataInfo import _GXDataInfo

from dlms_objects.classes.fee_item_class import FEE_ITEM, PARAMETERS
from dlms_objects.classes.purse_class import JOURNAL_ROW, PURSE
from dlms_objects.classes.shape import Shape, from_plain
from dlms_objects.classes.standard import LONG64, UNSIGNED
from dlms_objects.errors import InvalidValueError
from dlms_objects.gurux_bridge.gurux_values import typed
from dlms_objects.values.data import NULL, Data, DataType
from dlms_objects.wire import axdr
from tests.bench.journal import journal_rows
from tests.support.fake_session import FakeItem, parameters_of


def as_gurux_decodes(octets: bytes) -> Any:
    return _GXCommon.getData(None, GXByteBuffer(bytearray(octets)), _GXDataInfo())


@pytest.mark.parametrize("label", ["Rent, flat 1204", "房租", "", "Miete für März", "AB CD"])
def test_parameters_come_back_as_they_were(label: str) -> None:
    value = parameters_of(FakeItem(label=label, payee="landlord"))
    assert typed(PARAMETERS, as_gurux_decodes(axdr.encode(value))) == value


def test_a_journal_row_comes_back_as_it_was() -> None:
    for row in journal_rows(5):
        assert axdr.encode(typed(JOURNAL_ROW, as_gurux_decodes(row))) == row


def test_an_empty_array_and_null_data_come_back() -> None:
    pending, passive = FEE_ITEM.attribute("pending_amounts").shape, FEE_ITEM.attribute("passive_parameters").shape
    assert typed(pending, None) == Data(DataType.ARRAY, ())
    assert typed(passive, None) == NULL


def test_a_status_with_its_bits_comes_back() -> None:
    shape = PURSE.attribute("status").shape
    assert shape is not None
    value = from_plain(shape, {"flags": "1010" + "0" * 12, "shortfall": -1, "next_due": None, "next_amount": 2**40})
    decoded = as_gurux_decodes(axdr.encode(value))
    assert isinstance(decoded[0], GXBitString)
    assert typed(shape, decoded) == value


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        (UNSIGNED, 256),
        (UNSIGNED, "1"),
        (LONG64, 2**63),
        (PARAMETERS, [1, 2]),
        (PARAMETERS, None),
        (PARAMETERS, "AB"),
        (FEE_ITEM.attribute("logical_name").shape, "0.0.128.1.1.255"),
        (None, 1),
    ],
)
def test_what_is_not_of_the_shape_is_refused(shape: Shape | None, value: Any) -> None:
    with pytest.raises(InvalidValueError):
        typed(shape, value)
