"""Events and commands are plain values: equal when their fields are, never changed."""

import dataclasses
from typing import get_args

import pytest

from dlms_objects.wire import events, list_events
from tests.support.associations import REGISTER

KINDS = {
    kind
    for union in (events.ClientCommand, events.ClientEvent, events.ServerEvent, events.Answer | events.Notify)
    for kind in get_args(union)
}


def test_every_event_is_a_frozen_value_and_belongs_to_a_union() -> None:
    declared = {
        value
        for module in (events, list_events)
        for value in vars(module).values()
        if dataclasses.is_dataclass(value) and isinstance(value, type) and value.__module__ == module.__name__
    }
    assert declared == KINDS
    assert all(kind.__dataclass_params__.frozen for kind in KINDS)


def test_equal_fields_make_equal_events() -> None:
    assert events.Get(REGISTER) == events.Get(REGISTER, None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        events.Get(REGISTER).attribute = REGISTER  # type: ignore[misc]
