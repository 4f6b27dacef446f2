"""Commands and events of the links are plain values."""

import dataclasses
from typing import get_args

import pytest

from dlms_objects.wire import hdlc_events
from dlms_objects.wire.hdlc_events import LinkCommand, LinkEvent, SendApdu, SendUnconfirmed


@pytest.mark.parametrize("kind", get_args(LinkCommand) + get_args(LinkEvent))
def test_they_are_frozen_and_say_what_they_are(kind: type) -> None:
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen
    assert kind.__doc__


def test_an_unconfirmed_apdu_goes_to_the_peer_unless_told_otherwise() -> None:
    assert SendUnconfirmed(b"apdu").destination is None
    assert SendApdu(b"apdu") == SendApdu(b"apdu")


def test_every_end_says_why() -> None:
    assert len(hdlc_events.LinkEnd) == 8
