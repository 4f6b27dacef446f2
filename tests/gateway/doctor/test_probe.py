"""What octets look like to a probe."""

import pytest

from dlms_objects.transport.endpoints import hdlc_station
from gateway.doctor.probe import PUBLIC_CLIENT, Heard, Speech, hdlc_question, wrapper_question


@pytest.mark.parametrize(
    ("octets", "speech"),
    [
        (bytes.fromhex("0001000100100003 6103a1"), Speech.WRAPPER),
        (bytes.fromhex("7ea00a2100020323"), Speech.NOISE),
        (bytes.fromhex("7ea00802212373e4b97e"), Speech.HDLC),
        (b"HTTP/1.0 400 Bad", Speech.HTTP),
        (b"<html>", Speech.HTTP),
        (b"\xff\xfb\x01", Speech.TELNET),
        (b"SSH-2.0-x", Speech.SSH),
        (b"\x15\x03\x03\x00\x02", Speech.TLS),
        (b"login: \r\n", Speech.TEXT),
        (b"\x80\x81\x82", Speech.NOISE),
        (b"", Speech.SILENCE),
    ],
)
def test_what_octets_look_like(octets: bytes, speech: Speech) -> None:
    heard = Heard(octets=octets, is_closed=False)
    assert heard.speech is speech
    assert speech.value in heard.words()


def test_a_connection_that_is_closed_without_a_word() -> None:
    assert Heard(octets=b"", is_closed=True).speech is Speech.CLOSED


def test_our_own_questions_look_like_what_they_are() -> None:
    assert Heard(octets=wrapper_question(1), is_closed=False).speech is Speech.WRAPPER
    station = hdlc_station("hdlc+tcp:h:1:physical=17")
    assert station is not None
    snrm = hdlc_question(station.link(PUBLIC_CLIENT, 1, 1.0))
    assert Heard(octets=snrm, is_closed=False).speech is Speech.HDLC
