"""The structures of the standard classes read by their members' names; gurux's own encodings read the same way."""

from collections.abc import Callable
from typing import Any

import pytest
from gurux_dlms import GXTime
from gurux_dlms.GXByteBuffer import GXByteBuffer
from gurux_dlms.GXDLMSSettings import GXDLMSSettings
from gurux_dlms.internal._GXCommon import _GXCommon
from gurux_dlms.objects import GXDLMSActivityCalendar
from gurux_dlms.objects.GXDLMSDayProfile import GXDLMSDayProfile
from gurux_dlms.objects.GXDLMSDayProfileAction import GXDLMSDayProfileAction
from gurux_dlms.ValueEventArgs import ValueEventArgs

from dlms_objects.gurux_bridge.class_views import CLASS_VIEWS
from dlms_objects.gurux_bridge.names import gurux_object, known_classes, names_of
from dlms_objects.gurux_bridge.views import view
from dlms_objects.values import data as cosem
from dlms_objects.values.data import Data
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName
from dlms_objects.wire import axdr

NAME = LogicalName.parse("0.0.13.0.0.255")
SCRIPTS = cosem.octet_string(bytes((0, 0, 10, 0, 100, 255)))
ENERGY = cosem.octet_string(bytes((1, 0, 1, 8, 0, 255)))
SCRIPT = cosem.structure(SCRIPTS, cosem.long_unsigned(2))
SCRIPT_SHOWN = {"script_logical_name": "0.0.10.0.100.255", "script_selector": 2}


def octets(text: str) -> Data:
    return cosem.octet_string(bytes.fromhex(text.replace(" ", "")))


def words(text: str) -> Data:
    return cosem.octet_string(text.encode())


def shown(class_id: int, attribute: int, value: Data) -> Any:
    return view(AttributeDescriptor(class_id, NAME, attribute), axdr.encode(value))


CASES: list[tuple[int, int, Data, Any]] = [
    (
        20,
        3,
        cosem.array([cosem.structure(words("S1"), octets("ffff0301ff 00000000 8000ff"), words("W1"))]),
        [{"season_profile_name": "S1", "season_start": "*-03-01 00:00:00", "week_name": "W1"}],
    ),
    (
        20,
        5,
        cosem.array(
            [
                cosem.structure(
                    cosem.unsigned(1),
                    cosem.array([cosem.structure(octets("061e0000"), SCRIPTS, cosem.long_unsigned(2))]),
                )
            ]
        ),
        [{"day_id": 1, "day_schedule": [{"start_time": "06:30:00", **SCRIPT_SHOWN}]}],
    ),
    (20, 10, octets("ffffffffffffffffff8000ff"), "not specified"),
    (
        9,
        2,
        cosem.array(
            [
                cosem.structure(
                    cosem.long_unsigned(1),
                    cosem.array(
                        [
                            cosem.structure(
                                cosem.enum(2), cosem.long_unsigned(70), SCRIPTS, cosem.integer(1), cosem.integer(0)
                            )
                        ]
                    ),
                )
            ]
        ),
        [
            {
                "script_identifier": 1,
                "actions": [
                    {
                        "service_id": "execute",
                        "class_id": 70,
                        "logical_name": "0.0.10.0.100.255",
                        "index": 1,
                        "parameter": 0,
                    }
                ],
            }
        ],
    ),
    (
        11,
        2,
        cosem.array([cosem.structure(cosem.long_unsigned(1), octets("ffff0101ff"), cosem.unsigned(3))]),
        [{"index": 1, "specialday_date": "*-01-01", "day_id": 3}],
    ),
    (
        21,
        4,
        cosem.array([cosem.structure(SCRIPT, SCRIPT)]),
        [{"action_up": SCRIPT_SHOWN, "action_down": SCRIPT_SHOWN}],
    ),
    (
        22,
        4,
        cosem.array([cosem.structure(octets("00000000"), octets("ffffff01ff"))]),
        [{"time": "00:00:00", "date": "*-*-01"}],
    ),
    (
        71,
        2,
        cosem.structure(cosem.long_unsigned(3), ENERGY, cosem.integer(2)),
        {"class_id": 3, "logical_name": "1.0.1.8.0.255", "attribute_index": 2},
    ),
    (70, 3, cosem.enum(2), "ready_for_reconnection"),
    (15, 8, cosem.enum(2), "associated"),
    (
        17,
        2,
        cosem.array([cosem.structure(cosem.long_unsigned(1), words("MPR0001"))]),
        [{"sap": 1, "logical_device_name": "MPR0001"}],
    ),
    (
        18,
        7,
        cosem.array([cosem.structure(cosem.double_long_unsigned(9), words("v2"), octets("00ff"))]),
        [{"image_size": 9, "image_identification": "v2", "image_signature": "00ff"}],
    ),
    (42, 3, cosem.double_long_unsigned(0xC0000201), "192.0.2.1"),
    (
        40,
        3,
        cosem.structure(cosem.enum(0), words("192.0.2.1:4059"), cosem.enum(0)),
        {"transport_service": "tcp", "destination": "192.0.2.1:4059", "message": "cosem_apdu"},
    ),
    (
        111,
        15,
        cosem.structure(cosem.utf8_string("CNY"), cosem.integer(-2), cosem.enum(2)),
        {"currency_name": "CNY", "currency_scale": -2, "currency_unit": "monetary"},
    ),
    (
        113,
        5,
        cosem.structure(
            cosem.structure(cosem.integer(0), cosem.integer(-2)),
            cosem.structure(cosem.long_unsigned(3), ENERGY, cosem.integer(2)),
            cosem.array([cosem.structure(words("T1"), cosem.long(5283))]),
        ),
        {
            "charge_per_unit_scaling": {"commodity_scale": 0, "price_scale": -2},
            "commodity": {"class_id": 3, "logical_name": "1.0.1.8.0.255", "attribute_index": 2},
            "charge_table": [{"index": "T1", "charge_per_unit": 5283}],
        },
    ),
    (8, 5, octets("ffff03fe07 02000000 800000"), "*-03-last Sun 02:00:00"),
]


@pytest.mark.parametrize(("class_id", "attribute", "value", "expected"), CASES)
def test_a_standard_structure_reads_by_names(class_id: int, attribute: int, value: Data, expected: Any) -> None:
    assert shown(class_id, attribute, value) == expected


def test_the_view_of_an_attribute_that_does_not_exist_is_in_no_table() -> None:
    for class_id, readers in CLASS_VIEWS.items():
        names = names_of(class_id, 3)
        assert names is not None
        assert set(readers) <= set(names.attributes), class_id


def gurux_encoded(item: Any, attribute: int) -> bytes:
    settings, out = GXDLMSSettings(True, None), GXByteBuffer()
    value = item.getValue(settings, ValueEventArgs(settings, item, attribute, 0, None))
    _GXCommon.setData(settings, out, item.getDataType(attribute), value)
    return bytes(out.array())


def test_a_day_profile_that_gurux_encodes_reads_back() -> None:
    calendar, day = GXDLMSActivityCalendar(str(NAME)), GXDLMSDayProfile()
    day.dayId, day.daySchedules = 1, [GXDLMSDayProfileAction(GXTime("08:30:00"), "0.0.10.0.100.255", 2)]
    calendar.dayProfileTableActive = [day]
    read = view(AttributeDescriptor(20, NAME, 5), gurux_encoded(calendar, 5))
    assert read == [{"day_id": 1, "day_schedule": [{"start_time": "08:30:00", **SCRIPT_SHOWN}]}]


def _attempt(encode: Callable[[Any, int], bytes], item: Any, attribute: int) -> bytes | None:
    try:
        return encode(item, attribute)
    except Exception:  # noqa: BLE001 - gurux cannot encode many of its own defaults
        return None


def test_every_default_that_gurux_can_encode_has_a_view() -> None:
    seen = 0
    for class_id in known_classes():
        item = gurux_object(class_id)
        if item is None:
            continue
        item.logicalName = str(NAME)
        for attribute in range(1, item.getAttributeCount() + 1):
            encoded = _attempt(gurux_encoded, item, attribute)
            if encoded is not None:
                view(AttributeDescriptor(class_id, NAME, attribute), encoded)
                seen += 1
    assert seen > 250
