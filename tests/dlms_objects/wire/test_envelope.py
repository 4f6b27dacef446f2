"""Envelopes: every service has one tag in each, and what came is answered in the same one."""

import pytest

from dlms_objects.wire.ciphered import DED_TAGS, GLO_TAGS
from dlms_objects.wire.envelope import Envelope, envelope_of
from dlms_objects.wire.security import CIPHERED_TAGS

GET_REQUEST, ACCESS_REQUEST, DATA_NOTIFICATION = 0xC0, 0xD9, 0x0F


@pytest.mark.parametrize(
    ("envelope", "get", "other"),
    [
        (Envelope.GLO, 0xC8, 0xDB),
        (Envelope.GENERAL_GLO, 0xDB, 0xDB),
        (Envelope.DED, 0xD0, 0xDC),
        (Envelope.GENERAL_DED, 0xDC, 0xDC),
    ],
)
def test_a_service_without_a_tag_of_its_own_travels_in_the_general_ciphering(
    envelope: Envelope, get: int, other: int
) -> None:
    assert envelope.tag(GET_REQUEST) == get
    assert envelope.tag(ACCESS_REQUEST) == envelope.tag(DATA_NOTIFICATION) == other
    assert envelope.is_general is (get == other)


def test_what_came_is_answered_in_the_same_envelope() -> None:
    for tag in CIPHERED_TAGS:
        envelope = envelope_of(tag)
        assert tag in {envelope.tag(service) for service in (*GLO_TAGS, ACCESS_REQUEST)}
    assert {envelope_of(tag) for tag in CIPHERED_TAGS} == set(Envelope)
    assert envelope_of(GET_REQUEST) is Envelope.GLO


def test_the_dedicated_envelope_is_as_general_as_the_global_one() -> None:
    assert (Envelope.GLO.dedicated, Envelope.GENERAL_GLO.dedicated) == (Envelope.DED, Envelope.GENERAL_DED)
    assert (Envelope.DED.dedicated, Envelope.GENERAL_DED.dedicated) == (Envelope.DED, Envelope.GENERAL_DED)


def test_no_tag_belongs_to_two_envelopes() -> None:
    assert not set(GLO_TAGS.values()) & set(DED_TAGS.values())
