"""`meterpurse gateway scan`: its numbers, and how an answer is shown."""

import json

import pytest

from deploy.gateway_scan import line_of, numbers, plain
from dlms_objects.errors import InvalidValueError
from dlms_objects.values.system_title import SystemTitle
from gateway.scan import Answering, Place
from tests.support.command_line import call

TITLE = SystemTitle(b"MPR\x00\x00\x00\x00\x01")
PLACE = Place(endpoint="tcp:h:4059", server_sap=1)
METER = Answering(place=PLACE, device_name="MPR0000000000001", system_title=TITLE)


def test_numbers_and_ranges() -> None:
    assert numbers("1-3, 17,32-32", "--sap") == (1, 2, 3, 17, 32)


@pytest.mark.parametrize("text", ["", "a", "1-", "-3", "1-99999", "1,,2"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="--sap: "):
        numbers(text, "--sap")


def test_an_answer_says_whether_the_meter_is_configured() -> None:
    assert line_of(METER, {TITLE: "flat-1"}) == "tcp:h:4059  SAP 1  MPR0000000000001  4D50520000000001  flat-1"
    assert line_of(METER, {}).endswith("not configured")
    assert plain(METER, {TITLE: "flat-1"})["meter"] == "flat-1"
    refusing = Answering(place=PLACE, refusal="the meter refused the association: no-reason-given")
    assert "answers, but: the meter refused" in line_of(refusing, {})
    assert json.loads(json.dumps(plain(refusing, {})))["logical_device_name"] is None


def test_a_scan_that_makes_no_sense_is_one_line() -> None:
    refused = call("gateway", "scan", "tcp:127.0.0.1:1", "--physical", "1")
    assert (refused.code, refused.out) == (2, "")
    assert "only HDLC lines" in refused.err
