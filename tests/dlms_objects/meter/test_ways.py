"""SAP assignment, HDLC and TCP-UDP setups show what was opened, exactly or not at all."""

import pytest

from dlms_objects.classes.shape import conforms, to_plain
from dlms_objects.classes.standard import IEC_HDLC_SETUP, SAP_ASSIGNMENT, TCP_UDP_SETUP
from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.ways import Ways, hdlc_setup, sap_assignment, tcp_udp_setup
from dlms_objects.transport.endpoints import hdlc_station

DEVICES = [(1, b"MPR0000000000001"), (300, b"MPR0000000000300")]


def ways(line: str | None = None, **changes) -> Ways:
    return Ways(devices=lambda: DEVICES, station=None if line is None else hdlc_station(line), **changes)


def shown(interface, make, ways: Ways):
    """Every attribute as plain values."""
    made = make(lambda: ways)
    values = {}
    for attribute in interface.attributes[1:]:
        value = made.get(attribute.number, None, None)
        assert conforms(attribute.shape, value)
        values[attribute.name] = to_plain(attribute.shape, value)
    return values


def test_the_logical_devices_behind_the_address_are_listed():
    listed = shown(SAP_ASSIGNMENT, sap_assignment, ways())["SAP_assignment_list"]
    assert [(entry["SAP"], bytes.fromhex(entry["logical_device_name"])) for entry in listed] == DEVICES


def test_the_hdlc_line_is_shown_as_it_is():
    line = "hdlc+serial:/dev/ttyS0:baudrate=19200:physical=17:information=512:window=3"
    assert shown(IEC_HDLC_SETUP, hdlc_setup, ways(line)) == {
        "comm_speed": 6,
        "window_size_transmit": 3,
        "window_size_receive": 3,
        "max_info_field_length_transmit": 512,
        "max_info_field_length_receive": 512,
        "inter_octet_time_out": 500,
        "inactivity_time_out": 120,
        "device_address": 17,
    }


def test_a_meter_without_an_hdlc_line_shows_the_standards_values_and_no_address():
    values = shown(IEC_HDLC_SETUP, hdlc_setup, ways())
    assert (values["comm_speed"], values["window_size_transmit"], values["max_info_field_length_transmit"]) == (
        5,
        1,
        128,
    )
    assert values["device_address"] == 0


def test_a_speed_that_the_class_does_not_know_is_refused():
    with pytest.raises(InvalidValueError, match="250000"):
        shown(IEC_HDLC_SETUP, hdlc_setup, ways("hdlc+serial:/dev/ttyS0:baudrate=250000"))


def test_the_first_line_stays_the_one_that_is_shown():
    first, second = hdlc_station("hdlc+tcp:127.0.0.1:4060:physical=17"), hdlc_station("hdlc+tcp:127.0.0.1:4061")
    assert ways().with_station(None).with_station(first).with_station(second).station == first


def test_the_tcp_port_is_shown_as_it_was_opened():
    open_ways = ways(port=4059, connections=32, inactivity_s=180.0)
    assert shown(TCP_UDP_SETUP, tcp_udp_setup, open_ways) == {
        "TCP_UDP_port": 4059,
        "IP_reference": "000000000000",
        "MSS": 536,
        "nb_of_sim_conn": 32,
        "inactivity_time_out": 180,
    }


@pytest.mark.parametrize("changes", [{"connections": 256}, {"inactivity_s": 0.5}, {"inactivity_s": 65_536}])
def test_what_the_types_cannot_hold_is_refused(changes):
    with pytest.raises(InvalidValueError):
        shown(TCP_UDP_SETUP, tcp_udp_setup, ways(**changes))
