"""Push settings: destinations, windows and retries as a client writes them, taken whole or refused whole."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from dlms_objects.classes.shape import conforms
from dlms_objects.classes.standard import PUSH_SETUP
from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.push_settings import (
    COMMUNICATION_WINDOW,
    SEND_DESTINATION,
    Destination,
    PushSettings,
    TransportService,
    Window,
)
from dlms_objects.values import data as cosem
from dlms_objects.values.cosem_time import CosemDateTime

SHANGHAI = ZoneInfo("Asia/Shanghai")
TCP, UDP = TransportService
NO_SUCH_DAY = CosemDateTime(bytes.fromhex("07ea021eff090000ff8000ff"))


def destination(text, service=0, message=0):
    return cosem.structure(cosem.enum(service), cosem.octet_string(text.encode()), cosem.enum(message))


def clock(hour, minute=0):
    return CosemDateTime(bytes.fromhex("ffffffffff") + bytes((hour, minute, 0)) + bytes.fromhex("ff8000ff"))


def civil(*fields):
    return CosemDateTime.from_civil(datetime(*fields))


def open_hours(window, day=10):
    """The local hours of a day in June 2026 in which a window is open."""
    moments = {hour: datetime(2026, 6, day, hour, tzinfo=SHANGHAI) for hour in range(24)}
    return {hour for hour, moment in moments.items() if window.is_open(moment.astimezone(UTC), SHANGHAI)}


def test_a_new_setup_pushes_nowhere():
    assert PushSettings().destinations == ()
    assert PushSettings().with_attribute(SEND_DESTINATION, destination("")) == PushSettings()


@pytest.mark.parametrize(
    ("text", "service", "wanted"),
    [
        ("192.0.2.1:4059", 0, [(TCP, "192.0.2.1", 4059)]),
        ("gw.example:9, [2001:db8::1]:10,gw.example:9", 1, [(UDP, "gw.example", 9), (UDP, "2001:db8::1", 10)]),
    ],
)
def test_a_destination_is_one_or_some_each_once(text, service, wanted):
    settings = PushSettings().with_attribute(SEND_DESTINATION, destination(text, service))
    assert settings.destinations == tuple(Destination(*one) for one in wanted)


@pytest.mark.parametrize(
    ("text", "service", "message"),
    [
        ("192.0.2.1", 0, 0),
        ("192.0.2.1:0", 0, 0),
        ("a:1,b:2,c:3,d:4,e:5", 0, 0),
        ("水表:4059", 0, 0),
        ("192.0.2.1:4059", 3, 0),
        ("192.0.2.1:4059", 0, 1),
    ],
)
def test_what_is_no_destination_is_refused(text, service, message):
    with pytest.raises(InvalidValueError):
        PushSettings().with_attribute(SEND_DESTINATION, destination(text, service, message))


def test_a_destination_reads_as_people_write_it():
    assert [str(Destination(TCP, "gw", 1)), str(Destination(UDP, "::1", 2))] == ["tcp gw:1", "udp [::1]:2"]


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (clock(8), clock(12), set(range(8, 12))),
        (clock(22), clock(2), {22, 23, 0, 1}),
        (civil(2026, 6, 10, 6), civil(2026, 6, 10, 9), {6, 7, 8}),
        (civil(2026, 6, 10, 6), civil(2026, 6, 11, 9), set(range(6, 24))),
    ],
)
def test_a_window_is_open_from_its_start_to_before_its_end(start, end, hours):
    assert open_hours(Window(start, end)) == hours


def test_without_windows_it_is_always_open_and_with_some_when_one_of_them_is():
    noon = datetime(2026, 6, 10, 4, tzinfo=UTC)
    assert PushSettings().is_open(noon, SHANGHAI)
    assert not PushSettings(windows=(Window(clock(1), clock(2)),)).is_open(noon, SHANGHAI)
    assert PushSettings(windows=(Window(clock(1), clock(2)), Window(clock(12), clock(13)))).is_open(noon, SHANGHAI)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (clock(8), clock(8)),
        (clock(8), civil(2026, 6, 10, 9)),
        (NO_SUCH_DAY, civil(2026, 6, 10, 9)),
        (CosemDateTime.NOT_SPECIFIED, CosemDateTime.NOT_SPECIFIED),
    ],
)
def test_what_is_no_window_is_refused(start, end):
    value = cosem.array([cosem.structure(cosem.octet_string(start.octets), cosem.octet_string(end.octets))])
    with pytest.raises(InvalidValueError):
        PushSettings().with_attribute(COMMUNICATION_WINDOW, value)


def test_only_so_many_windows_are_kept():
    with pytest.raises(InvalidValueError, match="16"):
        PushSettings(windows=(Window(clock(1), clock(2)),) * 17)


def test_the_attributes_have_the_declared_shapes_and_read_back_as_they_were_written():
    settings = PushSettings(
        service=UDP,
        destination=b"192.0.2.1:4059",
        windows=(Window(clock(1), clock(2)),),
        start_interval_s=5,
        retries=7,
        repetition_delay_s=9,
    )
    again = PushSettings()
    for attribute, value in settings.attributes().items():
        shape = PUSH_SETUP.attribute(attribute).shape
        assert shape is not None
        assert conforms(shape, value)
        again = again.with_attribute(attribute, value)
    assert again == settings
