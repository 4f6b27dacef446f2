"""Names, clock, register, associations and security setups say what the object model and the standard fix."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from dlms_objects.classes.catalogue import (
    ACTIVE_ENERGY_IMPORT,
    ASSOCIATIONS,
    CLOCK_NAME,
    CURRENT_ASSOCIATION,
    DEVICE_NAME,
    SERIAL_NUMBER,
    Role,
    association_name,
    invocation_counter_name,
    security_setup_name,
)
from dlms_objects.classes.standard import ASSOCIATION_LN, CLOCK, DATA, REGISTER, SECURITY_SETUP
from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.cosem_object import ActionRefusedError, Requester
from dlms_objects.meter.device_objects import ClockObject, clock_reading, device_name
from dlms_objects.values import data as cosem
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.parameters import LARGEST_PDU_OCTETS, USUAL_CONFORMANCE
from tests.support.meters import CLIENT_TITLE, NOW, MeterWorld


@pytest.fixture
def reader(world):
    return world.connect(Role.READER)


def test_the_logical_device_name_is_maker_and_number_in_16_octets(world, reader):
    assert device_name(SystemTitle(b"MPR\x00\x00\x00\x00\x01")) == b"MPR0000000000001"
    assert device_name(SystemTitle(b"MPR\xff\xff\xff\xff\xff")) == b"MPR1099511627775"
    assert bytes.fromhex(reader.get(DATA, DEVICE_NAME, "value")) == device_name(world.made.system_title)


def test_the_serial_number_is_the_one_given(tmp_path):
    world = MeterWorld(tmp_path / "meter", serial_number="A-17")
    assert world.connect(Role.READER).get(DATA, SERIAL_NUMBER, "value") == "A-17"
    world.meter.close()


def test_the_register_shows_watt_hours_that_grow_with_time(world):
    before = world.connect(Role.READER).get(REGISTER, ACTIVE_ENERGY_IMPORT, "value")
    world.pass_time(86_400)
    reader = world.connect(Role.READER)
    assert reader.get(REGISTER, ACTIVE_ENERGY_IMPORT, "scaler_unit") == {"scaler": 0, "unit": 30}
    assert 0 < reader.get(REGISTER, ACTIVE_ENERGY_IMPORT, "value") - before < 2_400_000


def test_the_clock_shows_local_time_with_deviation(world, reader):
    assert reader.get(CLOCK, CLOCK_NAME, "time") == "2026-06-10T12:00:00+08:00"
    assert [reader.get(CLOCK, CLOCK_NAME, name) for name in ("time_zone", "status", "clock_base")] == [-480, 0, 1]


CLOCK_FACTS = {
    "Asia/Shanghai": (-480, 0, False, None, None),
    "UTC": (0, 0, False, None, None),
    "Europe/Berlin": (-60, 60, True, "2026-03-29T02:00:00", "2026-10-25T03:00:00"),
    "Australia/Lord_Howe": (-630, 30, True, "2026-10-04T02:00:00", "2026-04-05T02:00:00"),
    "America/New_York": (300, 60, True, "2026-03-08T02:00:00", "2026-11-01T02:00:00"),
}


def requester(now):
    return Requester(
        association=ASSOCIATIONS[1],
        client_title=CLIENT_TITLE,
        conformance=USUAL_CONFORMANCE,
        max_pdu=LARGEST_PDU_OCTETS,
        now=now,
    )


@pytest.mark.parametrize("zone", CLOCK_FACTS)
@pytest.mark.parametrize("month", [1, 7])
def test_zone_and_daylight_saving_are_those_of_the_purses_zone(zone, month):
    clock = ClockObject(lambda: ZoneInfo(zone), lambda _wanted: None)
    asked = requester(datetime(2026, month, 15, 12, tzinfo=UTC))
    offset, saving, enabled, begin, end = CLOCK_FACTS[zone]
    values = {a.name: clock.get(a.number, None, asked).value for a in CLOCK.attributes if a.number > 1}
    assert values["time_zone"] == offset
    assert (values["daylight_savings_deviation"], values["daylight_savings_enabled"]) == (saving, enabled)
    for name, expected in (("daylight_savings_begin", begin), ("daylight_savings_end", end)):
        shown = CosemDateTime(values[name])
        assert (shown.civil() and shown.civil().isoformat()) == expected


def test_a_clock_before_2024_is_shown_invalid():
    zone = ZoneInfo("Asia/Shanghai")
    assert clock_reading(datetime(2023, 12, 31, 23, tzinfo=UTC), zone).status & 1
    assert not clock_reading(datetime(2024, 1, 1, tzinfo=UTC), zone).status & 1


@pytest.mark.parametrize(
    ("octets", "wanted"),
    [
        ("07ea0702ff08000000fe2000", datetime(2026, 7, 2, 0, tzinfo=UTC)),
        ("07ea0702ff080000ff8000ff", datetime(2026, 7, 2, 0, tzinfo=UTC)),
    ],
)
def test_the_clock_takes_a_full_date_time_civil_or_with_deviation(octets, wanted):
    taken = []
    clock = ClockObject(lambda: ZoneInfo("Asia/Shanghai"), taken.append)
    clock.set(2, cosem.octet_string(bytes.fromhex(octets)), requester(NOW))
    assert taken == [wanted]


@pytest.mark.parametrize("octets", ["ffffffffffffffffff8000ff", "07ea0702ffff000000fe2000", "07ea021eff08000000fe2000"])
def test_the_clock_takes_nothing_less(octets):
    clock = ClockObject(lambda: ZoneInfo("Asia/Shanghai"), pytest.fail)
    with pytest.raises(InvalidValueError):
        clock.set(2, cosem.octet_string(bytes.fromhex(octets)), requester(NOW))


@pytest.mark.parametrize("shift_s", [-901, 901, 32767, -32768])
def test_a_shift_beyond_15_minutes_is_refused(shift_s):
    clock = ClockObject(lambda: ZoneInfo("Asia/Shanghai"), pytest.fail)
    with pytest.raises(ActionRefusedError):
        clock.invoke(6, cosem.long(shift_s), requester(NOW))


@pytest.mark.parametrize("shift_s", [-900, 0, 900])
def test_a_shift_steps_the_clock_by_so_many_seconds(shift_s):
    taken = []
    clock = ClockObject(lambda: ZoneInfo("Asia/Shanghai"), taken.append)
    assert clock.invoke(6, cosem.long(shift_s), requester(NOW)) is None
    assert [(wanted - NOW).total_seconds() for wanted in taken] == [shift_s]


@pytest.mark.parametrize("asking", [Role.READER, Role.MANAGEMENT])
@pytest.mark.parametrize("declared", ASSOCIATIONS, ids=lambda declared: declared.role)
def test_an_association_object_tells_its_partners_context_and_whether_it_is_open(world, asking, declared):
    client, name = world.connect(asking), association_name(declared.number)

    def shown(attribute):
        return client.get(ASSOCIATION_LN, name, attribute)

    is_current = declared.role is asking
    assert shown("associated_partners_id") == {"client_sap": declared.client_sap, "server_sap": 1}
    assert shown("application_context_name") == "60857405080103" if declared.is_ciphered else "60857405080101"
    assert shown("authentication_mechanism_name") == f"6085740508020{declared.mechanism.value}"
    assert shown("association_status") == (2 if is_current else 0)
    assert shown("security_setup_reference") == str(security_setup_name(declared.number))
    context = shown("xdlms_context_info")
    assert context["max_receive_pdu_size"] == 65535
    assert (context["max_send_pdu_size"], context["cyphering_info"]) == (
        (65535, CLIENT_TITLE.octets.hex()) if is_current else (0, "")
    )


def test_the_current_association_is_that_of_who_asks(world):
    for role, number in ((Role.READER, 2), (Role.MANAGEMENT, 3)):
        client = world.connect(role)
        current, own = (
            {
                a.name: client.get(ASSOCIATION_LN, name, a.name)
                for a in ASSOCIATION_LN.attributes
                if a.number not in (1, 7)
            }
            for name in (CURRENT_ASSOCIATION, association_name(number))
        )
        assert current == own


@pytest.mark.parametrize("declared", ASSOCIATIONS, ids=lambda declared: declared.role)
def test_a_security_setup_tells_policy_suite_and_titles(world, reader, declared):
    name = security_setup_name(declared.number)
    values = {a.name: reader.get(SECURITY_SETUP, name, a.name) for a in SECURITY_SETUP.attributes[1:]}
    assert values == {
        "security_policy": 0x6C if declared.is_ciphered else 0,
        "security_suite": 0,
        "client_system_title": CLIENT_TITLE.octets.hex() if declared.role is Role.READER else "",
        "server_system_title": world.made.system_title.octets.hex(),
        "certificates": [],
    }


def test_the_counter_objects_show_the_highest_counter_received_with_each_key(world, reader):
    public = world.connect(Role.PUBLIC)
    shown = [public.get(DATA, invocation_counter_name(number), "value") for number in (2, 3)]
    assert shown == [world.counters[Role.READER].sent.ceiling - 1, 0]
